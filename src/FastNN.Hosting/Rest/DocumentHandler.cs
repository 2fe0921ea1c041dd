using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace FastNN.Hosting.Rest;

/// <summary>The OpenAPI document as JSON, and a page that shows it: one file without scripts, and nothing from outside.</summary>
internal sealed class DocumentHandler(FastNNEndpointOptions options)
{
    private const string Style =
        "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}" +
        "summary{cursor:pointer;padding:.4rem 0}code{font-family:ui-monospace,monospace}.method{display:inline-block;width:4rem;font-weight:600}" +
        "details{border-bottom:1px solid #ddd}details>div{margin:0 0 1rem 4.5rem}pre{background:#f4f4f4;padding:.6rem;overflow:auto}" +
        "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}pre{background:#262626}details{border-color:#333}}";

    private readonly Lazy<Task<byte[]>> _json = new(() => SerializeAsync(RestDocument.Create(options), ""));

    /// <summary>GET v2/openapi.json.</summary>
    public async Task JsonAsync(HttpContext http)
    {
        // Behind a path that an application or a proxy adds, the addresses begin with it.
        string root = http.Request.PathBase.Value + options.Prefix.TrimEnd('/');
        byte[] json = await (root.Length == 0 ? _json.Value : SerializeAsync(RestDocument.Create(options), root));
        await WriteAsync(http, "application/json", json);
    }

    /// <summary>GET v2/docs.</summary>
    public Task PageAsync(HttpContext http)
    {
        http.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return WriteAsync(http, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(Page(RestDocument.Create(options))));
    }

    private static async Task<byte[]> SerializeAsync(OpenApiDocument document, string root)
    {
        if (root.Length != 0)
        {
            document.Servers = [new OpenApiServer { Url = root }];
        }

        using var stream = new MemoryStream();
        await document.SerializeAsJsonAsync(stream, OpenApiSpecVersion.OpenApi3_1);
        return stream.ToArray();
    }

    private static async Task WriteAsync(HttpContext http, string type, byte[] body)
    {
        http.Response.ContentType = type;
        http.Response.ContentLength = body.Length;
        _ = await http.Response.BodyWriter.WriteAsync(body, http.RequestAborted);
    }

    private static string Page(OpenApiDocument document)
    {
        var page = new StringBuilder();
        _ = page.Append("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>FastNN</title>")
            .Append("<meta name=\"viewport\" content=\"width=device-width\"><style>").Append(Style)
            .Append("</style></head><body><h1>FastNN</h1><p>")
            .Append(Text(document.Info.Description)).Append("</p><p><a href=\"openapi.json\">openapi.json</a></p>");
        foreach ((string path, IOpenApiPathItem item) in document.Paths)
        {
            foreach ((HttpMethod method, OpenApiOperation operation) in item.Operations ?? [])
            {
                _ = page.Append(CultureInfo.InvariantCulture,
                    $"<details><summary><span class=\"method\">{method.Method}</span> <code>{Text(path)}</code> ")
                    .Append(Text(operation.Summary)).Append("</summary><div>");
                AppendContent(page, "Request", operation.RequestBody?.Content, document);
                AppendContent(page, "Answer", operation.Responses?["200"].Content, document);
                _ = page.Append("</div></details>");
            }
        }

        return page.Append("</body></html>").ToString();
    }

    private static void AppendContent(
        StringBuilder page, string title, IDictionary<string, OpenApiMediaType>? content, OpenApiDocument document)
    {
        if (content is null || !content.TryGetValue("application/json", out OpenApiMediaType? media) ||
            media.Schema is not OpenApiSchemaReference { Reference.Id: string id })
        {
            return;
        }

        var text = new StringBuilder();
        AppendSchema(text, document.Components!.Schemas![id], 0);
        _ = page.Append("<p>").Append(title).Append("</p><pre>").Append(Text(text.ToString())).Append("</pre>");
    }

    private static void AppendSchema(StringBuilder text, IOpenApiSchema schema, int indent)
    {
        if (schema.Type == JsonSchemaType.Array)
        {
            _ = text.Append('[');
            if (schema.Items is not null)
            {
                AppendSchema(text, schema.Items, indent);
            }

            _ = text.Append(", ...]");
        }
        else if (schema.Properties is { Count: > 0 } properties)
        {
            _ = text.Append("{\n");
            foreach ((string name, IOpenApiSchema property) in properties)
            {
                _ = text.Append(' ', indent + 2).Append('"').Append(name).Append("\": ");
                AppendSchema(text, property, indent + 2);
                _ = text.Append(",\n");
            }

            _ = text.Append(' ', indent).Append('}');
        }
        else
        {
            _ = text.Append(schema.Type?.ToString().ToLowerInvariant());
        }
    }

    private static string Text(string? text) => WebUtility.HtmlEncode(text) ?? "";
}
