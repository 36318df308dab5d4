(()=>{window.SwaggerUIBundle({url:document.documentElement.dataset.description,dom_id:"#api",deepLinking:!0,validatorUrl:null,syntaxHighlight:!1,tryItOutEnabled:!1});})();
