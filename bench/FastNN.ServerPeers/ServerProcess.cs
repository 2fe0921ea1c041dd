using System.Diagnostics;
using System.Globalization;

namespace FastNN.ServerPeers;

/// <summary>A server of <see cref="Serving"/> in a process of its own; ends with this object.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan _startTimeout = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ServerLog _log;

    private ServerProcess(Process process, ServerLog log, int[] ports) =>
        (_process, _log, Http1, Http2, Tcp) = (process, log, ports[0], ports[1], ports[2]);

    /// <summary>The port of HTTP/1.1.</summary>
    public int Http1 { get; }

    /// <summary>The port of HTTP/2 without TLS.</summary>
    public int Http2 { get; }

    /// <summary>The port of the echo without HTTP.</summary>
    public int Tcp { get; }

    /// <summary>Whether it still runs.</summary>
    public bool IsAlive => !_process.HasExited;

    /// <summary>How often it logged an error.</summary>
    public int LoggedErrors => _log.Errors;

    /// <summary>Megabytes of memory that are in use of it, as Linux counts them.</summary>
    public double ResidentMegabytes => File.ReadLines($"/proc/{_process.Id}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => Number(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]))
        .First() / 1024.0;

    /// <summary>Sockets that it has open.</summary>
    public int OpenSockets => new DirectoryInfo($"/proc/{_process.Id}/fd").EnumerateFileSystemInfos()
        .Count(entry => entry.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="arguments">Its role, with the role's arguments.</param>
    public static ServerProcess Start(params string[] arguments)
    {
        string executable = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(executable) == "dotnet"
            ? [Path.Combine(AppContext.BaseDirectory, "FastNN.ServerPeers.dll")]
            : [];
        var start = new ProcessStartInfo(executable, [.. program, "serve", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start)!;
        var log = new ServerLog();
        process.ErrorDataReceived += (_, line) => log.Add(line.Data);
        process.BeginErrorReadLine();
        try
        {
            using var limit = new CancellationTokenSource(_startTimeout);
            while (process.StandardOutput.ReadLineAsync(limit.Token).AsTask().GetAwaiter().GetResult() is { } line)
            {
                if (line.StartsWith(Serving.Ready, StringComparison.Ordinal))
                {
                    return new ServerProcess(process, log, [.. line[Serving.Ready.Length..].Split(' ').Select(Number)]);
                }
            }

            throw new InvalidOperationException($"the server '{arguments[0]}' ended before it listened");
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }

        _process.Dispose();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Passes the beginning of a server's log on, and counts what is logged as an error or worse.</summary>
    private sealed class ServerLog
    {
        private const int ShownLines = 20;

        private int _lines;
        private int _errors;

        public int Errors => _errors;

        public void Add(string? line)
        {
            if (line is null)
            {
                return;
            }

            if (Interlocked.Increment(ref _lines) <= ShownLines)
            {
                Console.Error.WriteLine($"server: {line}");
            }

            if (line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _errors);
            }
        }
    }
}
