using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastNN.ServerPeers;

/// <summary>
/// A connection of HTTP/2 without TLS that asks and waits on the calling thread, one request after the other, as
/// <see cref="RawHttp"/> does for HTTP/1.1. The answer's headers are not decoded: whether it is right, its body tells.
/// </summary>
internal sealed class RawGrpc : IDisposable
{
    private const int FrameHeader = 9;
    private const int MostPayload = 16_384;

    /// <summary>What the server may send over a connection: so much that opening it again costs no request time.</summary>
    private const int Window = 1 << 30;

    private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8;
    private const byte EndStream = 1, Acknowledge = 1, EndHeaders = 4;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _input = new byte[64 << 10];
    private readonly byte[] _request;
    private readonly int _dataAt;
    private readonly byte[] _body = new byte[64 << 10];
    private int _start;
    private int _end;
    private int _bodyLength;
    private int _unacknowledged;
    private int _stream = 1;

    public RawGrpc(int port, Body request)
    {
        if (request.Bytes.Length > MostPayload)
        {
            throw new ArgumentException($"expected a body of one frame, at most {MostPayload} bytes, got {request.Bytes.Length}");
        }

        byte[] headers = Encode(request);
        _request = [.. Frame(Headers, EndHeaders, headers), .. Frame(Data, EndStream, request.Bytes)];
        _dataAt = FrameHeader + headers.Length;
        _socket.ReceiveTimeout = _socket.SendTimeout = 30_000;
        _socket.Connect(IPAddress.Loopback, port);
        _socket.Send([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, []), .. Opening(Window)]);
    }

    /// <summary>The body of the last answer, until the next request.</summary>
    public ReadOnlySpan<byte> Body => _body.AsSpan(0, _bodyLength);

    /// <summary>Sends the request once more and reads the whole answer.</summary>
    /// <exception cref="IOException">The server ended the stream or the connection.</exception>
    public void Send()
    {
        // One request at a time, smaller than the windows that a server opens: no account of them is needed.
        BinaryPrimitives.WriteInt32BigEndian(_request.AsSpan(5), _stream);
        BinaryPrimitives.WriteInt32BigEndian(_request.AsSpan(_dataAt + 5), _stream);
        _socket.Send(_request);
        _bodyLength = 0;
        while (!ReadFrame())
        {
        }

        _stream += 2;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Reads one frame; true for the one that ends the stream.</summary>
    private bool ReadFrame()
    {
        Fill(FrameHeader);
        Span<byte> header = _input.AsSpan(_start, FrameHeader);
        int length = BinaryPrimitives.ReadInt32BigEndian(header) >> 8;
        (byte type, byte flags) = (header[3], header[4]);
        int stream = BinaryPrimitives.ReadInt32BigEndian(header[5..]);
        _start += FrameHeader;
        Fill(length);
        Span<byte> payload = _input.AsSpan(_start, length);
        _start += length;
        switch (type)
        {
            case Data:
                payload.CopyTo(_body.AsSpan(_bodyLength));
                _bodyLength += length;
                GiveBack(length);
                break;
            case Settings when (flags & Acknowledge) == 0:
                _socket.Send(Frame(Settings, Acknowledge, []));
                break;
            case Ping when (flags & Acknowledge) == 0:
                _socket.Send(Frame(Ping, Acknowledge, payload.ToArray()));
                break;
            case Reset or GoAway:
                throw new IOException($"the server ended the {(type == Reset ? "stream" : "connection")}");
        }

        return type is Data or Headers && stream == _stream && (flags & EndStream) != 0;
    }

    /// <summary>Opens the connection's window again, seldom.</summary>
    private void GiveBack(int bytes)
    {
        _unacknowledged += bytes;
        if (_unacknowledged >= Window / 2)
        {
            _socket.Send(Opening(_unacknowledged));
            _unacknowledged = 0;
        }
    }

    private void Fill(int count)
    {
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
        }
        else if (_start + count > _input.Length)
        {
            _input.AsSpan(_start, _end - _start).CopyTo(_input);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            int received = _socket.Receive(_input.AsSpan(_end));
            _end += received > 0 ? received : throw new IOException("the server closed the connection before it had answered");
        }
    }

    private static byte[] Opening(int bytes)
    {
        var increment = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(increment, bytes);
        return Frame(WindowUpdate, 0, increment);
    }

    private static byte[] Frame(byte type, byte flags, byte[] payload)
    {
        byte[] frame = [0, 0, 0, type, flags, 0, 0, 0, 0, .. payload];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        return frame;
    }

    /// <summary>Headers as literals that no table keeps, so that each request has the same bytes.</summary>
    private static byte[] Encode(Body request)
    {
        var bytes = new List<byte>();
        Add(":method", "POST");
        Add(":scheme", "http");
        Add(":path", request.Path);
        Add(":authority", "127.0.0.1");
        Add("content-type", request.ContentType);
        Add("te", "trailers");
        return [.. bytes];

        void Add(string name, string value)
        {
            bytes.Add(0);
            AddText(name);
            AddText(value);
        }

        void AddText(string text)
        {
            // A longer one would need a length of several bytes.
            bytes.Add(text.Length < 127 ? (byte)text.Length : throw new ArgumentException($"'{text}' is too long"));
            bytes.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }
}
