using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastNN.Onnx.Tests.Native;

/// <summary>The server while it runs, and a client.</summary>
internal sealed class Running : IDisposable
{
    private readonly Process _process;
    private readonly Uri _address;

    public Running(PublishedServer server, string model)
    {
        _process = server.Start(model, "--port", "0");
        string? line = _process.StandardOutput.ReadLine();
        Assert.That(line, Does.Match(@"^mlp\.onnx at http://127\.0\.0\.1:\d+, CPU, .*Ctrl-C"), "the line that says it is ready");
        _address = new Uri(line![line.IndexOf("http", StringComparison.Ordinal)..line.IndexOf(',', StringComparison.Ordinal)]);
        Client = new HttpClient { BaseAddress = _address };
    }

    public HttpClient Client { get; }

    public (HttpStatusCode Status, byte[] Body) Post(HttpContent content)
    {
        using HttpResponseMessage response = Client.PostAsync("/", content).Result;
        return (response.StatusCode, response.Content.ReadAsByteArrayAsync().Result);
    }

    public (HttpStatusCode Status, string Text) PostText(HttpContent content)
    {
        (HttpStatusCode status, byte[] body) = Post(content);
        return (status, Encoding.UTF8.GetString(body));
    }

    /// <summary>Sends these bytes and no more, and gives what comes back.</summary>
    public string Send(string text)
    {
        using var client = new TcpClient(_address.Host, _address.Port);
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        client.Client.Send(Encoding.ASCII.GetBytes(text));
        client.Client.Shutdown(SocketShutdown.Send);
        return reader.ReadLine() ?? "";
    }

    /// <summary>Ctrl-C; gives the exit code.</summary>
    public int End()
    {
        using (Process kill = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        Assert.That(_process.StandardOutput.ReadToEnd(), Is.EqualTo("stopped\n"));
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
