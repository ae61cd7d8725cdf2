from modeltranslation.translator import TranslationOptions, register

from apart.django_modeltranslation.models import Cheese, Kind


@register(Kind)
class KindTranslation(TranslationOptions):
    fields = ["name"]


@register(Cheese)
class CheeseTranslation(TranslationOptions):
    fields = ["name"]
