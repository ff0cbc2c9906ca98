"""Starts a launch file as `ros2 launch` does: python launching.py FILE name:=value ..."""

import sys

from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

from launch import LaunchDescription, LaunchService


def main() -> int:
    file, *given = sys.argv[1:]
    arguments = [tuple(text.split(":=", 1)) for text in given]
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(file), launch_arguments=arguments
    )
    service = LaunchService(noninteractive=True)  # a signal reaches this process alone
    service.include_launch_description(LaunchDescription([included]))
    return service.run()


if __name__ == "__main__":
    sys.exit(main())
