using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.StatusPages;

/// <summary>The page's files, which lie beside this one and which the assembly carries.</summary>
internal static class StatusFiles
{
    /// <summary>Everything comes from the service itself, and nothing is inline.</summary>
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, (byte[] Content, string Type, string Tag)> Files = new(StringComparer.Ordinal)
    {
        ["status.css"] = Read("status.css", "text/css; charset=utf-8"),
        ["status.js"] = Read("status.js", "text/javascript; charset=utf-8"),
        ["charts.js"] = Read("charts.js", "text/javascript; charset=utf-8"),
        ["picture.js"] = Read("picture.js", "text/javascript; charset=utf-8"),
        ["icon.svg"] = Read("icon.svg", "image/svg+xml"),
    };

    private static readonly byte[] Page = Content("status.html");

    /// <summary>Writes the page, whose links begin with the last part of its own address.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">That part, such as <c>status</c>.</param>
    public static Task WritePageAsync(HttpContext context, string name)
    {
        byte[] page = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(Page).Replace("{base}", Uri.EscapeDataString(name), StringComparison.Ordinal));
        return WriteAsync(context, page, "text/html; charset=utf-8", Tag(page));
    }

    /// <summary>Writes a file of the page; 404 where there is none of this name.</summary>
    public static Task WriteAsync(HttpContext context, string name)
    {
        if (Files.TryGetValue(name, out (byte[] Content, string Type, string Tag) file))
        {
            return WriteAsync(context, file.Content, file.Type, file.Tag);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static async Task WriteAsync(HttpContext context, byte[] content, string type, string tag)
    {
        HttpResponse response = context.Response;
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";

        // Asked for each time, so that a new version of the package is seen at once, and sent only where it differs.
        response.Headers.CacheControl = "no-cache";
        response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch.Contains(tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = type;
        response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static (byte[] Content, string Type, string Tag) Read(string name, string type)
    {
        byte[] content = Content(name);
        return (content, type, Tag(content));
    }

    private static string Tag(byte[] content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\"";

    private static byte[] Content(string name)
    {
        using Stream stream = typeof(StatusFiles).Assembly.GetManifestResourceStream($"FastNN.Hosting.Status.{name}")
            ?? throw new InvalidOperationException($"the package does not carry {name}");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
