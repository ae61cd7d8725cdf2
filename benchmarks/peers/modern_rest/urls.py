"""Where is the API?"""

from django.urls import include
from dmr.routing import Router, path

from api import (
    ArticleController,
    ArticlesController,
    SearchController,
    SimulationController,
    SimulationsController,
    TagsController,
)

router = Router(
    "api/",
    [
        path("simulations/", SimulationsController.as_view()),
        path("simulations/<str:pk>/", SimulationController.as_view()),
        path("articles/", ArticlesController.as_view()),
        path("articles/<int:pk>/", ArticleController.as_view()),
        path("tags/", TagsController.as_view()),
        path("search/", SearchController.as_view()),
    ],
)

urlpatterns = [path(router.prefix, include(router.urls))]
