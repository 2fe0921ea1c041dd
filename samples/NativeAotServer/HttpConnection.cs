using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace DigitsServer;

/// <summary>What a client asks for.</summary>
internal sealed record HttpRequest(string Method, string Path, string Accept, byte[] Body, bool IsLast);

/// <summary>What it gets.</summary>
internal sealed record HttpResponse(int Status, string Type, byte[] Body)
{
    public static HttpResponse Text(int status, string text) =>
        new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text + "\n"));
}

/// <summary>A request that cannot be answered; the connection is closed behind the reason.</summary>
internal sealed class HttpException(int status, string message) : Exception(message)
{
    public int Status => status;
}

/// <summary>
/// As much of HTTP/1.1 as clients on the same machine need: requests one after the other, bodies whose length is told. .NET's own
/// HttpListener brings TLS and cookies along, 2 MB of code in a native program.
/// </summary>
internal sealed class HttpConnection(Socket socket)
{
    private const int MaxHeadBytes = 16 << 10, MaxBodyBytes = 64 << 20, MaxUnreadBytes = 1 << 20;

    private readonly byte[] _buffer = new byte[MaxHeadBytes];
    private int _count;

    /// <summary>The next request; null where the client has no more.</summary>
    /// <exception cref="HttpException">It is not HTTP/1, or too large.</exception>
    /// <exception cref="SocketException">The client went away, or sends nothing.</exception>
    public HttpRequest? Read()
    {
        int end;
        while ((end = _buffer.AsSpan(0, _count).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (_count == _buffer.Length)
            {
                throw new HttpException(431, $"expected at most {MaxHeadBytes} bytes of headers");
            }

            int got = socket.Receive(_buffer.AsSpan(_count));
            if (got == 0)
            {
                return null;
            }

            _count += got;
        }

        string[] lines = Encoding.Latin1.GetString(_buffer, 0, end).Split("\r\n");
        Take(end + 4);
        if (lines[0].Split(' ') is not [string method, string path, string version]
            || version is not ("HTTP/1.1" or "HTTP/1.0"))
        {
            throw new HttpException(400, "expected a request of HTTP/1.1");
        }

        if (Header(lines, "Transfer-Encoding") is not null)
        {
            throw new HttpException(411, "expected a body with a Content-Length");
        }

        bool isLast = version == "HTTP/1.0"
            || string.Equals(Header(lines, "Connection"), "close", StringComparison.OrdinalIgnoreCase);
        return new HttpRequest(method, path, Header(lines, "Accept") ?? "", Body(lines), isLast);
    }

    /// <exception cref="SocketException">The client went away.</exception>
    public void Write(HttpResponse response) => Write(response, "");

    /// <summary>Writes an answer behind which no more requests are read.</summary>
    /// <exception cref="SocketException">The client went away.</exception>
    public void WriteLast(HttpResponse response)
    {
        Write(response, "Connection: close\r\n");
        socket.Shutdown(SocketShutdown.Send);

        // Closing with bytes unread would take the answer back from a client that is still sending.
        for (int left = MaxUnreadBytes; left > 0;)
        {
            int got = socket.Receive(_buffer);
            left = got > 0 ? left - got : 0;
        }
    }

    private void Write(HttpResponse response, string headers)
    {
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {response.Status} {Reason(response.Status)}\r\nContent-Length: {response.Body.Length}\r\n")
            + $"Content-Type: {response.Type}\r\n{headers}\r\n";
        Send([.. Encoding.ASCII.GetBytes(head), .. response.Body]);
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        404 => "Not Found",
        411 => "Length Required",
        413 => "Content Too Large",
        503 => "Service Unavailable",
        431 => "Request Header Fields Too Large",
        _ => "Bad Request",
    };

    private static string? Header(string[] lines, string name)
    {
        string? found = Array.Find(lines, line => line.Length > name.Length && line[name.Length] == ':'
            && line.StartsWith(name, StringComparison.OrdinalIgnoreCase));
        return found?[(name.Length + 1)..].Trim();
    }

    private byte[] Body(string[] lines)
    {
        string length = Header(lines, "Content-Length") ?? "0";
        if (!long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes))
        {
            throw new HttpException(400, "expected a Content-Length that is a number");
        }

        if (bytes > MaxBodyBytes)
        {
            throw new HttpException(413, $"expected at most {MaxBodyBytes} bytes, got {bytes}");
        }

        if (Header(lines, "Expect") is not null)
        {
            Send("HTTP/1.1 100 Continue\r\n\r\n"u8);
        }

        var body = new byte[bytes];
        int count = Math.Min(_count, body.Length);
        _buffer.AsSpan(0, count).CopyTo(body);
        Take(count);
        while (count < body.Length)
        {
            int got = socket.Receive(body.AsSpan(count));
            count += got > 0 ? got : throw new HttpException(400, $"expected {bytes} bytes, got {count}");
        }

        return body;
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    private void Take(int count)
    {
        _buffer.AsSpan(count, _count - count).CopyTo(_buffer);
        _count -= count;
    }
}
