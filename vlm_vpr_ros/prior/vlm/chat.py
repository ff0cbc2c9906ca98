"""From a question to the text that the model was trained to read: its chat template.

The template comes with the model. Templates differ in how they want the image and in whether they
know a system prompt; which way a template takes is tried out once, since nothing declares it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from llama_cpp import llama_chat_format

from vlm_vpr_ros.errors import ModelError

Messages = list[dict[str, Any]]
_Form = Callable[[str, str, str], Messages]


class ChatPrompt:
    """Renders questions about one image."""

    def __init__(
        self, template: str, system: str, marker: str, *, begin: str, end: str, adds_begin: bool
    ) -> None:
        """Find out what the template takes.

        Args:
            template: Jinja.
            system: the system prompt.
            marker: stands where the image goes.
            begin: the begin token as text.
            end: the end token as text.
            adds_begin: whether the tokenizer puts the begin token before the text by itself.

        Raises:
            ModelError: the template is not valid, or loses the image or the question.
        """
        self._begin = begin if adds_begin else ""
        self._system = system
        self._marker = marker
        try:
            self._formatter = llama_chat_format.Jinja2ChatFormatter(template, end, begin)
        except jinja2.TemplateError as error:
            raise ModelError(f"the model's chat template is not valid: {error}") from None
        self._form = self._fitting_form()

    def text(self, question: str) -> str:
        """The whole prompt, up to where the model answers."""
        return self._rendered(self._form, question)

    def _fitting_form(self) -> _Form:
        probe = "Which place is this?"
        for form in (_strings, _parts, _image_urls, _no_system, _parts_no_system):
            try:
                text = self._rendered(form, probe)
            except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError):
                continue
            found = [text.find(part) for part in (self._system, self._marker, probe)]
            if text.count(self._marker) == 1 and 0 <= found[0] < found[1] < found[2]:
                return form
        raise ModelError(
            "the model's chat template loses the image or the question: is it a vision model? If "
            "so, name a template that fits in vlm.chat_handler"
        )

    def _rendered(self, form: _Form, question: str) -> str:
        messages = form(self._system, self._marker, question)
        text: str = self._formatter(messages=messages, enable_thinking=False).prompt
        return text.removeprefix(self._begin)


def template_named(handler: str) -> str:
    """The template that `vlm.chat_handler` names.

    Args:
        handler: a chat handler of llama-cpp-python (`Llava15ChatHandler`, `MoondreamChatHandler`,
            `Qwen25VLChatHandler` ...), of which only the template is used, or the path of a Jinja
            file.

    Raises:
        ModelError: there is neither.
    """
    template = getattr(getattr(llama_chat_format, handler, None), "CHAT_FORMAT", None)
    if isinstance(template, str):
        # They were written for an environment that keeps a line break after a tag.
        return template.replace("\n", "{{ '\\n' }}")
    try:
        return Path(handler).read_text(encoding="utf-8")
    except (OSError, ValueError):
        known = [
            name for name, value in vars(llama_chat_format).items() if hasattr(value, "CHAT_FORMAT")
        ]
        raise ModelError(
            f"vlm.chat_handler {handler!r} is no Jinja file and none of {', '.join(known)}"
        ) from None


def _strings(system: str, marker: str, question: str) -> Messages:
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": f"{marker}\n{question}"},
    ]


def _parts(system: str, marker: str, question: str) -> Messages:
    return [
        {"role": "system", "content": [{"type": "text", "text": system}]},
        {"role": "user", "content": [{"type": "text", "text": f"{marker}\n{question}"}]},
    ]


def _image_urls(system: str, marker: str, question: str) -> Messages:
    image = {"type": "image_url", "image_url": {"url": marker}}
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": [image, {"type": "text", "text": question}]},
    ]


def _no_system(system: str, marker: str, question: str) -> Messages:
    return [{"role": "user", "content": f"{system}\n{marker}\n{question}"}]


def _parts_no_system(system: str, marker: str, question: str) -> Messages:
    text = f"{system}\n{marker}\n{question}"
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]
