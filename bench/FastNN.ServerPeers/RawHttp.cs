using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace FastNN.ServerPeers;

/// <summary>
/// A connection of HTTP/1.1 that asks and waits on the calling thread: the least that a client can add to what the server and
/// the loopback take. It reads answers with a length, which is what the servers here send.
/// </summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 << 10];
    private int _bodyStart;
    private int _end;

    public RawHttp(int port, TimeSpan? timeout = null)
    {
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)(timeout ?? TimeSpan.FromSeconds(30)).TotalMilliseconds;
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>Whether the server closes the connection behind its last answer.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>The body of the last answer, until the next request.</summary>
    public ReadOnlySpan<byte> Body => _buffer.AsSpan(_bodyStart, _end - _bodyStart);

    /// <summary>Sends a request and reads the answer.</summary>
    /// <returns>Its status.</returns>
    /// <exception cref="IOException">The server closed the connection before it had answered.</exception>
    public int Send(ReadOnlySpan<byte> request)
    {
        for (int sent = 0; sent < request.Length;)
        {
            sent += _socket.Send(request[sent..]);
        }

        (_end, _bodyStart) = (0, 0);
        int head;
        while ((head = _buffer.AsSpan(0, _end).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Receive();
        }

        ReadOnlySpan<byte> headers = _buffer.AsSpan(0, head + 2);
        if (!headers.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(headers[9..], out int status, out _))
        {
            throw new InvalidDataException("expected an answer of HTTP/1.1, got other bytes");
        }

        IsClosing = headers.IndexOf("\r\nConnection: close\r\n"u8) >= 0;
        int at = headers.IndexOf("\r\nContent-Length: "u8);
        int length = 0;
        if (at >= 0 && !Utf8Parser.TryParse(headers[(at + 18)..], out length, out _))
        {
            throw new InvalidDataException("expected a number as Content-Length, got something else");
        }

        if (at < 0 && !IsClosing && headers.IndexOf("\r\nTransfer-Encoding:"u8) >= 0)
        {
            throw new InvalidDataException("expected an answer with a length, got one in chunks");
        }

        _bodyStart = head + 4;
        while (_end < _bodyStart + length)
        {
            Receive();
        }

        return status;
    }


    public void Dispose() => _socket.Dispose();

    private void Receive()
    {
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int received = _socket.Receive(_buffer.AsSpan(_end));
        _end += received > 0 ? received : throw new IOException("the server closed the connection before it had answered");
    }
}
