using System.Net;
using System.Net.Sockets;
using FastNN;
using FastNN.Onnx;

namespace DigitsServer;

/// <summary>
/// HTTP on the loopback interface. GET / tells what the model takes and gives; POST / takes a .npy array and gives the first
/// output as .npy, or all of them as JSON to <c>Accept: application/json</c>. What does not fit gets a status of 400 and the
/// reason.
/// </summary>
internal sealed class Server : IDisposable
{
    private const int MaxConnections = 64, TimeoutMilliseconds = 30_000;

    private readonly Network _network;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Dictionary<Socket, Thread> _connections = [];
    private readonly SemaphoreSlim _free = new(MaxConnections);
    private readonly CancellationTokenSource _stop = new();

    /// <exception cref="SocketException">The port is taken.</exception>
    public Server(Network network, int port)
    {
        _network = network;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
    }

    public EndPoint EndPoint => _listener.LocalEndPoint!;

    /// <summary>Answers until <see cref="Stop"/>, each connection on a thread of its own; returns when all are
    /// closed.</summary>
    public void Run()
    {
        try
        {
            while (true)
            {
                _free.Wait(_stop.Token);
                Start(_listener.Accept());
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested
            && e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Stop closed the listener.
        }

        Thread[] threads;
        lock (_connections)
        {
            threads = [.. _connections.Values];
            foreach (Socket socket in _connections.Keys)
            {
                EndRequests(socket);
            }
        }

        Array.ForEach(threads, thread => thread.Join());
    }

    public void Stop()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _free.Dispose();
        _stop.Dispose();
    }

    private void Start(Socket socket)
    {
        socket.NoDelay = true;
        socket.ReceiveTimeout = socket.SendTimeout = TimeoutMilliseconds;
        var thread = new Thread(() => AnswerEach(socket)) { IsBackground = true };
        lock (_connections)
        {
            _connections.Add(socket, thread);
        }

        thread.Start();
    }

    private void AnswerEach(Socket socket)
    {
        var connection = new HttpConnection(socket);
        try
        {
            while (connection.Read() is { } request)
            {
                if (request.IsLast)
                {
                    connection.WriteLast(Answer(request));
                    break;
                }

                connection.Write(Answer(request));
            }
        }
        catch (HttpException e)
        {
            Refuse(connection, HttpResponse.Text(e.Status, e.Message));
        }
        catch (SocketException)
        {
            // The client went away or is silent: nobody to tell.
        }
        finally
        {
            lock (_connections)
            {
                _free.Release();
                _connections.Remove(socket);
                socket.Dispose();
            }
        }
    }

    /// <summary>Ends the wait for a next request; an answer still goes out.</summary>
    private static void EndRequests(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Receive);
        }
        catch (SocketException)
        {
            // The client has closed it already.
        }
    }

    private static void Refuse(HttpConnection connection, HttpResponse response)
    {
        try
        {
            connection.WriteLast(response);
        }
        catch (SocketException)
        {
            // As above.
        }
    }

    private HttpResponse Answer(HttpRequest request)
    {
        try
        {
            return request switch
            {
                { Method: "GET", Path: "/" } => HttpResponse.Text(200, _network.Signature),
                { Method: "POST", Path: "/" } => Compute(request),
                _ => HttpResponse.Text(404, "expected GET / or POST /"),
            };
        }
        catch (Exception e) when (e is FileFormatException or OnnxException)
        {
            return HttpResponse.Text(400, e.Message);
        }
        catch (DeviceException e)
        {
            // No memory for so large an array.
            return HttpResponse.Text(503, e.Message);
        }
    }

    private HttpResponse Compute(HttpRequest request)
    {
        using var array = new MemoryStream(request.Body, writable: false);
        OnnxTensor[] outputs = _network.Compute(NumpyFile.Read(array, "the body"));
        using var body = new MemoryStream();
        if (request.Accept.Contains("application/json", StringComparison.Ordinal))
        {
            _network.WriteJson(outputs, body);
            return new HttpResponse(200, "application/json", body.ToArray());
        }

        NumpyFile.Write(body, outputs[0]);
        return new HttpResponse(200, "application/octet-stream", body.ToArray());
    }
}
