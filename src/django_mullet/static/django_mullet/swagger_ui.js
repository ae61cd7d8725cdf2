"use strict";

{
  const config = JSON.parse(document.getElementById("swagger-ui-config").textContent);
  const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

  // The cookie is newer than the page if somebody has logged in since, but scripts cannot
  // always read it (CSRF_COOKIE_HTTPONLY, CSRF_USE_SESSIONS).
  const csrfToken = () => {
    const prefix = `${config.csrfCookieName}=`;
    const cookie = document.cookie.split("; ").find((part) => part.startsWith(prefix));
    return cookie ? decodeURIComponent(cookie.slice(prefix.length)) : config.csrfToken;
  };

  const addCsrfToken = (request) => {
    const { origin } = new URL(request.url, document.baseURI);
    const method = (request.method || "GET").toUpperCase();
    if (origin === window.location.origin && !safeMethods.has(method)) {
      request.headers[config.csrfHeaderName] = csrfToken();
    }
    return request;
  };

  const options = {
    ...config.parameters,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
    requestInterceptor: addCsrfToken,
  };
  if (config.oauth2RedirectPath) {
    options.oauth2RedirectUrl = window.location.origin + config.oauth2RedirectPath;
  }

  const ui = SwaggerUIBundle(options);
  if (config.initOAuth) {
    ui.initOAuth(config.initOAuth);
  }
}
