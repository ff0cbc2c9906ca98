"""Several answers to one prompt, drawn side by side."""

from __future__ import annotations

from vlm_vpr_ros.prior.vlm.grammar import GrammarDraw
from vlm_vpr_ros.prior.vlm.vision_model import VisionModel

MAX_TOKENS = 400
"""More than the grammar's answers take with any common vocabulary."""


def sampled_answers(
    model: VisionModel, prompt: str, grammar: str, temperature: float, samples: int
) -> list[str]:
    """Answers to a prompt about the model's image, as text.

    All go on in one batch: the weights are read once for a token of each.

    Args:
        model: has looked at the image.
        prompt: with its marker.
        grammar: GBNF of an answer that ends with its first closing brace.
        temperature: of the softmax; 0 always takes the likeliest token.
        samples: how many; the seed of each is its number.

    Returns:
        One text for each sample; one that was cut off is not complete.

    Raises:
        ModelError: the prompt or the answers do not fit in the context.
    """
    first = model.prompt(prompt)
    model.fork(samples)
    vocabulary = model.vocabulary
    draws = [GrammarDraw(vocabulary, grammar, temperature, seed) for seed in range(samples)]
    texts = [bytearray() for _ in draws]
    logits = dict.fromkeys(range(samples), first)
    try:
        for _ in range(MAX_TOKENS):
            tokens = {i: draws[i].draw(row) for i, row in logits.items()}
            for i, token in tokens.items():
                texts[i] += vocabulary.piece(token)
            tokens = {
                i: token
                for i, token in tokens.items()
                if not vocabulary.ends(token) and not texts[i].endswith(b"}")
            }
            if not tokens:
                break
            rows = model.advance(list(tokens.values()), list(tokens))
            logits = dict(zip(tokens, rows, strict=True))
    finally:
        for draw in draws:
            draw.close()
    return [text.decode(errors="replace") for text in texts]
