using System.Text;
using FastNN.Cli;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>
/// `fastnn serve` in this process, on free ports of this machine, until it is disposed; it must end with 0 then.
/// </summary>
internal sealed class ServedCommand : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _interrupt = new();
    private readonly Lines _output = new();
    private readonly Lines _error = new();
    private readonly Task<int> _run;

    private ServedCommand(string[] args) => _run = Task.Factory.StartNew(
        () => Program.Run(
            ["serve", .. args, "--port", "0", "--grpc-port", "0", "--threads", "1"], _output, _error, _interrupt.Token),
        TaskCreationOptions.LongRunning);

    /// <summary>What the command wrote for its user.</summary>
    public string Output => _output.ToString();

    /// <summary>Its log.</summary>
    public string Log => _error.ToString();

    public Uri Rest => new(_output.After("REST at "));

    public Uri Grpc => new(_output.After("gRPC at "));

    public static async Task<ServedCommand> StartAsync(params string[] args)
    {
        var command = new ServedCommand(args);
        Task first = await Task.WhenAny(command._output.Seen("Ctrl-C stops"), command._run, Task.Delay(Longest));
        return first != command._run && command.Output.Contains("Ctrl-C stops", StringComparison.Ordinal)
            ? command
            : throw new AssertionException($"the server did not start: {command.Output}{command.Log}");
    }

    /// <summary>Runs a command that ends by itself.</summary>
    public static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = Program.Run(["serve", .. args], output, error);
        return (code, output.ToString(), error.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _interrupt.CancelAsync();
        int code = await _run.WaitAsync(Longest);
        _interrupt.Dispose();
        Assert.That(code, Is.Zero, Log);
        Assert.That(Output, Does.EndWith("stopped" + Environment.NewLine));
    }

    /// <summary>Text that another thread reads while it is written.</summary>
    private sealed class Lines : TextWriter
    {
        private readonly StringBuilder _text = new();
        private readonly List<(string Text, TaskCompletionSource Seen)> _waiting = [];

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            lock (_text)
            {
                _text.Append(value);
                foreach ((_, TaskCompletionSource seen) in _waiting.Where(one => Contains(one.Text)))
                {
                    seen.TrySetResult();
                }
            }
        }

        public override void WriteLine(string? value) => Write(value + NewLine);

        public Task Seen(string text)
        {
            lock (_text)
            {
                var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((text, seen));
                if (Contains(text))
                {
                    seen.SetResult();
                }

                return seen.Task;
            }
        }

        /// <summary>The word behind a text.</summary>
        public string After(string text) => ToString().Split(text)[1].Split(',', '\n', '\r')[0];

        public override string ToString()
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }

        private bool Contains(string text) => _text.ToString().Contains(text, StringComparison.Ordinal);
    }
}
