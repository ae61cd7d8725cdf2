"""Does Pydantic say what it knows of a model?"""

from pydantic import BaseModel

from django_mullet._compat import pydantic


def test_pydantic_tells_whether_names_are_known() -> None:
    class Waiting(BaseModel):
        later: "list[Later]"

    class Later(BaseModel):
        name: str

    assert not pydantic.knows_its_fields(Waiting)
    Waiting.model_rebuild(_types_namespace={"Later": Later})
    assert pydantic.knows_its_fields(Waiting)
