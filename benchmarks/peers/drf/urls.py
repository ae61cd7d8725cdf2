"""Where is the API?"""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from api import ArticleViewSet, SearchView, SimulationViewSet, TagViewSet

router = SimpleRouter()
router.register("simulations", SimulationViewSet, basename="simulation")
router.register("articles", ArticleViewSet, basename="article")
router.register("tags", TagViewSet, basename="tag")

urlpatterns = [
    path("api/search/", SearchView.as_view()),
    path("api/", include(router.urls)),
]
