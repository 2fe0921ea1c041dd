using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace FastNN.Cli.Reports;

/// <summary>
/// A page on the loopback interface that follows a run: it is sent the lines of <see cref="ProgressFile"/> as they come, and at
/// the end the report.
/// </summary>
internal sealed class WatchServer : IDisposable
{
    /// <summary>Bytes of lines in one answer; the page asks again for more.</summary>
    private const int MostBytes = 1 << 20;

    /// <summary>Bytes that tell one run from the next: its first line, which has the time.</summary>
    private const int HeadBytes = 160;

    private readonly HttpListener _listener = new();
    private readonly string _folder;

    /// <summary>Begins to listen.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="port">The port, or 0 for a free one.</param>
    /// <exception cref="CliException">The port cannot be used.</exception>
    public WatchServer(string folder, int port)
    {
        _folder = folder;
        int used = port == 0 ? FreePort() : port;
        Address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{used}/");
        // A prefix with an address takes requests for this host name alone, so no other name can be made to lead here.
        _listener.Prefixes.Add(Address);
        try
        {
            _listener.Start();
        }
        catch (Exception exception) when (exception is HttpListenerException or SocketException)
        {
            throw new CliException($"--port {used}: cannot listen there: {exception.Message}");
        }
    }

    public string Address { get; }

    /// <summary>Answers until it is cancelled.</summary>
    public void Serve(CancellationToken cancellation)
    {
        using CancellationTokenRegistration stop = cancellation.Register(_listener.Stop);
        while (!cancellation.IsCancellationRequested)
        {
            HttpListenerContext context;
            try
            {
                context = _listener.GetContext();
            }
            catch (Exception) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            try
            {
                Answer(context.Request, context.Response);
                context.Response.Close();
            }
            catch (Exception exception) when (exception is IOException or HttpListenerException or UnauthorizedAccessException
                or ObjectDisposedException)
            {
                // A browser that went away, or a file that is being replaced: the page asks again.
                context.Response.Abort();
            }
        }
    }

    public void Dispose() => _listener.Close();

    private void Answer(HttpListenerRequest request, HttpListenerResponse response)
    {
        response.Headers["Content-Security-Policy"] =
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'";
        response.Headers["X-Content-Type-Options"] = "nosniff";
        response.Headers["Cache-Control"] = "no-store";
        if (request.HttpMethod != "GET")
        {
            response.StatusCode = (int)HttpStatusCode.MethodNotAllowed;
            return;
        }

        switch (request.Url?.AbsolutePath)
        {
            case "/":
                Send(response, "text/html; charset=utf-8", PageFiles.Read("watch.html"));
                break;
            case "/watch.js":
                Send(response, "text/javascript; charset=utf-8", PageFiles.Read("watch.js"));
                break;
            case "/page.css":
                Send(response, "text/css; charset=utf-8", PageFiles.Read("page.css"));
                break;
            case "/progress":
                SendLines(request, response);
                break;
            case "/report.html" when File.Exists(Path.Combine(_folder, RunReport.Name)):
                Send(response, "text/html; charset=utf-8", File.ReadAllBytes(Path.Combine(_folder, RunReport.Name)));
                break;
            default:
                response.StatusCode = (int)HttpStatusCode.NotFound;
                break;
        }
    }

    /// <summary>Whole lines from an offset; the headers say which run they are of, and where the next ones begin.</summary>
    private void SendLines(HttpListenerRequest request, HttpListenerResponse response)
    {
        string path = Path.Combine(_folder, ProgressFile.Name);
        if (!File.Exists(path))
        {
            response.StatusCode = (int)HttpStatusCode.NoContent;
            return;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var head = new byte[HeadBytes];
        int read = file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false);
        int end = Array.IndexOf(head, (byte)'\n', 0, read);
        string run = Convert.ToHexStringLower(SHA256.HashData(head.AsSpan(0, end < 0 ? read : end)))[..16];
        _ = long.TryParse(request.QueryString["from"], NumberStyles.None, CultureInfo.InvariantCulture, out long from);
        if (request.QueryString["run"] != run || from > file.Length)
        {
            from = 0;
        }

        file.Position = from;
        var lines = new byte[(int)Math.Min(MostBytes, file.Length - from)];
        int length = file.ReadAtLeast(lines, lines.Length, throwOnEndOfStream: false);
        length = lines.AsSpan(0, length).LastIndexOf((byte)'\n') + 1;
        response.Headers["X-Run"] = run;
        response.Headers["X-Next"] = (from + length).ToString(CultureInfo.InvariantCulture);
        Send(response, "text/plain; charset=utf-8", lines.AsSpan(0, length));
    }

    private static void Send(HttpListenerResponse response, string type, ReadOnlySpan<byte> content)
    {
        response.ContentType = type;
        response.ContentLength64 = content.Length;
        response.OutputStream.Write(content);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
