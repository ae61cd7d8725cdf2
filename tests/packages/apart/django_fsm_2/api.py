from django.db.models import QuerySet
from django_fsm import TransitionNotAllowed
from fastapi import FastAPI, HTTPException

from apart.django_fsm_2.models import Article, Order, Ticket
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class ArticleSchema(ModelSchema[Article]):
    id: int
    title: str
    state: str


class OrderSchema(ModelSchema[Order]):
    id: int
    note: str
    state: str


class TicketSchema(ModelSchema[Ticket]):
    id: int
    title: str
    step: int
    priority_id: str


class StatesSchema(ModelSchema[Ticket]):
    step: int
    priority: str


@prepared
def articles_in(state: str) -> QuerySet[Article]:
    return Article.objects.filter(state=state).order_by("pk")


@prepared
def order_with(pk: int) -> QuerySet[Order]:
    return Order.objects.filter(pk=pk)


@router.get("/articles/", response_model=list[ArticleSchema])
async def articles(state: str) -> QuerySet[Article]:
    return articles_in(state)


@router.post("/articles/", status_code=201)
def add_article(body: Create[ArticleSchema]) -> ArticleSchema:
    return ArticleSchema.from_model(body.create())


@router.patch("/articles/{article_id}/")
def change_article(article_id: int, body: Patch[ArticleSchema]) -> ArticleSchema:
    return ArticleSchema.from_model(body.save(Article.objects.get(pk=article_id)))


@router.post("/articles/{article_id}/publish/")
def publish(article_id: int) -> ArticleSchema:
    article = Article.objects.get(pk=article_id)
    try:
        article.publish()
    except TransitionNotAllowed as error:
        raise HTTPException(409, str(error)) from error
    article.save()
    return ArticleSchema.from_model(article)


@router.patch("/orders/{order_id}/")
def change_order(order_id: int, body: Patch[OrderSchema]) -> OrderSchema:
    return OrderSchema.from_model(body.save(order_with(order_id).get()))


@router.get("/tickets/")
def tickets() -> list[StatesSchema]:
    return StatesSchema.from_qs(Ticket.objects.order_by("pk"))


@router.post("/tickets/", status_code=201)
def add_ticket(body: Create[TicketSchema]) -> TicketSchema:
    return TicketSchema.from_model(body.create())


@router.patch("/tickets/{ticket_id}/")
def change_ticket(ticket_id: int, body: Patch[TicketSchema]) -> TicketSchema:
    ticket = body.update(Ticket.objects.get(pk=ticket_id))
    ticket.proceed()
    ticket.hurry()
    ticket.save()
    return TicketSchema.from_model(ticket)


app = FastAPI()
app.include_router(router)
mount_django(app)
