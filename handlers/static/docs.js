// Shows the OpenAPI document that this broker serves; nothing is fetched from elsewhere.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
