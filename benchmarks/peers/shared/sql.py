"""The statements of the peers that write their SQL by hand, with `{}` for each parameter."""

__all__ = [
    "ARTICLE",
    "ARTICLES",
    "COUNT",
    "NEW_TAG",
    "PAGE",
    "PATCH",
    "SIMULATION",
    "SIMULATIONS",
    "TAGS",
    "USER",
]

USER = "SELECT id FROM shop_user WHERE api_key = {} LIMIT 1"
SIMULATION = (
    "SELECT id, name, start_date, end_date FROM shop_simulation WHERE user_id = {} AND id = {}"
)
SIMULATIONS = (
    "SELECT id, name, start_date, end_date FROM shop_simulation WHERE user_id = {} ORDER BY id"
)
PATCH = (
    "UPDATE shop_simulation SET name = coalesce({}, name), start_date = coalesce({}, start_date), "
    "end_date = coalesce({}, end_date) WHERE user_id = {} AND id = {} "
    "RETURNING id, name, start_date, end_date"
)
ARTICLES = (
    "SELECT a.id, a.title, a.slug, a.published_at, b.id AS author_id, b.name AS author_name "
    "FROM shop_article a JOIN shop_author b ON b.id = a.author_id "
    "ORDER BY a.published_at DESC, a.id DESC LIMIT 20"
)
ARTICLE = (
    "SELECT a.id, a.title, a.slug, a.published_at, b.id AS author_id, b.name AS author_name, "
    "a.body FROM shop_article a JOIN shop_author b ON b.id = a.author_id WHERE a.id = {}"
)
TAGS = (
    "SELECT l.article_id, t.id, t.name, t.slug FROM shop_article_tags l "
    "JOIN shop_tag t ON t.id = l.tag_id WHERE l.article_id = ANY({}) ORDER BY t.id"
)
NEW_TAG = (
    "INSERT INTO shop_tag (name, slug) VALUES ({}, {}) ON CONFLICT (slug) DO NOTHING "
    "RETURNING id, name, slug"
)
PAGE = (
    "SELECT id, title, slug, published_at, author_id FROM shop_article "
    "WHERE author_id = {} AND published = {} ORDER BY id LIMIT {} OFFSET {}"
)
COUNT = "SELECT count(*) FROM shop_article WHERE author_id = {} AND published = {}"
