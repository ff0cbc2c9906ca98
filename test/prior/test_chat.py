"""Prompts are rendered in whatever way a model's template takes an image and a system prompt."""

from __future__ import annotations

import pytest

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.chat import ChatPrompt, template_named

TEXT_ONLY = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
PARTS_ONLY = (
    "{% for m in messages %}{{ m.role | capitalize }}{% for part in m.content %}"
    "{% if part.type == 'text' %}: {{ part.text }}{% endif %}{% endfor %}{{ '\n' }}{% endfor %}"
    "Assistant:"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}<u>{{ m.content }}</u>{% endfor %}<a>"
)


def prompt(template: str, adds_begin: bool = True) -> ChatPrompt:
    return ChatPrompt(
        template, "SYSTEM.", "<image>", begin="<s>", end="</s>", adds_begin=adds_begin
    )


def test_a_template_of_plain_texts() -> None:
    text = prompt(TEXT_ONLY).text("Where?")
    assert text == "[system]SYSTEM.\n[user]<image>\nWhere?\n[assistant]"


def test_the_begin_token_is_there_once() -> None:
    assert prompt(TEXT_ONLY, adds_begin=False).text("Where?").startswith("<s>[system]")


def test_a_template_of_parts() -> None:
    assert prompt(PARTS_ONLY).text("Where?") == (
        "System: SYSTEM.\nUser: <image>\nWhere?\nAssistant:"
    )


def test_a_template_without_system_prompt() -> None:
    assert prompt(NO_SYSTEM).text("Where?") == "<u>SYSTEM.\n<image>\nWhere?</u><a>"


@pytest.mark.parametrize(
    "name", ["Llava15ChatHandler", "Qwen25VLChatHandler", "MoondreamChatHandler"]
)
def test_templates_of_chat_handlers(name: str) -> None:
    text = prompt(template_named(name)).text("Where?")
    assert text.index("<image>") < text.index("Where?")


def test_line_breaks_of_a_chat_handlers_template_stay() -> None:
    assert "\nUSER: " in prompt(template_named("Llava15ChatHandler")).text("Where?")


def test_a_template_from_a_file(tmp_path) -> None:
    file = tmp_path / "template.jinja"
    file.write_text(TEXT_ONLY)
    assert template_named(str(file)) == TEXT_ONLY


@pytest.mark.parametrize("name", ["NoSuchChatHandler", "/no/such/file.jinja", "json", "\0"])
def test_an_unknown_template_says_what_there_is(name: str) -> None:
    with pytest.raises(ModelError, match="Llava15ChatHandler"):
        template_named(name)


@pytest.mark.parametrize(
    "template",
    ["", "no image", "{% for m in messages %}{{ m.role }}{% endfor %}", "{% if"],
)
def test_a_template_that_loses_the_image_is_refused(template: str) -> None:
    with pytest.raises(ModelError, match="chat template"):
        prompt(template)


def test_a_template_cannot_reach_out() -> None:
    with pytest.raises(ModelError):
        prompt("{{ ''.__class__.__mro__[1].__subclasses__() }}" + TEXT_ONLY)
