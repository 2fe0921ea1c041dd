using System.Net;
using System.Net.Sockets;

namespace FastNN.ServerPeers;

/// <summary>
/// Sends bytes back as they come, one waiting thread for each connection: what two processes on one machine need to wake each
/// other and to pass the bytes, which no server can go below.
/// </summary>
internal static class TcpEcho
{
    private const int BufferBytes = 16 << 10;

    /// <summary>Starts it on a free port of 127.0.0.1; it ends with the process.</summary>
    /// <returns>The port.</returns>
    public static int Start()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Run(() =>
        {
            while (true)
            {
                Socket connection = listener.AcceptSocket();
                Run(() => Answer(connection));
            }
        });
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The client's part: sends bytes and waits for them.</summary>
    public static void Exchange(Socket socket, byte[] bytes, byte[] answer)
    {
        socket.Send(bytes);
        for (int received = 0; received < bytes.Length;)
        {
            int count = socket.Receive(answer, received, bytes.Length - received, SocketFlags.None);
            received += count > 0 ? count : throw new IOException("the echo closed the connection before it had answered");
        }
    }

    private static void Answer(Socket connection)
    {
        using (connection)
        {
            connection.NoDelay = true;
            byte[] buffer = new byte[BufferBytes];
            while (connection.Receive(buffer) is > 0 and var count)
            {
                connection.Send(buffer, count, SocketFlags.None);
            }
        }
    }

    private static void Run(Action action) => new Thread(() => action()) { IsBackground = true }.Start();
}
