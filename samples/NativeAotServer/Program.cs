using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FastNN;
using FastNN.Onnx;

namespace DigitsServer;

/// <summary>Answers with what an ONNX model computes: one array from a file, or arrays that come over HTTP.</summary>
internal static class Program
{
    private const int DefaultPort = 8080;

    private const string Usage = """
        usage: digits-server MODEL.onnx [--port N]   serve at http://127.0.0.1:N until Ctrl-C (default 8080; 0: any free port)
               digits-server MODEL.onnx ARRAY.npy    print the outputs for one array, as JSON
        """;

    private static int Main(string[] arguments)
    {
        try
        {
            switch (arguments)
            {
                case [string path]:
                    Serve(path, DefaultPort);
                    return 0;
                case [string path, "--port", string text]
                    when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port)
                    && port <= IPEndPoint.MaxPort:
                    Serve(path, port);
                    return 0;
                case [string path, string array] when array != "--port":
                    AnswerOnce(path, array);
                    return 0;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FileFormatException or OnnxException
            or SocketException)
        {
            Console.Error.WriteLine($"digits-server: {e.Message}");
            return 1;
        }
    }

    private static void AnswerOnce(string path, string array)
    {
        using var network = new Network(path);
        using Stream output = Console.OpenStandardOutput();
        network.WriteJson(network.Compute(NumpyFile.Read(array)), output);
        output.WriteByte((byte)'\n');
    }

    private static void Serve(string path, int port)
    {
        using var network = new Network(path);
        using var server = new Server(network, port);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        Console.WriteLine($"{Path.GetFileName(path)} at http://{server.EndPoint}, {network.Device}; Ctrl-C stops it");
        server.Run();
        Console.WriteLine("stopped");

        void Stop(PosixSignalContext context)
        {
            // Otherwise the runtime ends the process at once; answers under way are finished first.
            context.Cancel = true;
            server.Stop();
        }
    }
}
