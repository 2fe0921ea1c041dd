using System.Text;
using FastNN.Cli;
using FastNN.Data;

namespace FastNN.Testing;

/// <summary>Runs the tool in this process, with a folder of its own for what it writes.</summary>
internal abstract class CliFixture : FolderFixture
{
    private protected static CliResult Run(params string[] args) => Run(default, args);

    private protected static CliResult Run(CancellationToken cancellationToken, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = Program.Run(args, output, error, cancellationToken);
        return new CliResult(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs, and interrupts the run as soon as it writes a text.</summary>
    private protected static CliResult RunUntil(string text, params string[] args) => RunUntil(text, TimeSpan.Zero, args);

    /// <summary>Runs, and interrupts the run some time after it writes a text.</summary>
    private protected static CliResult RunUntil(string text, TimeSpan delay, params string[] args)
    {
        using var interrupt = new CancellationTokenSource();
        using var output = new WatchingWriter(text, () =>
        {
            if (delay == TimeSpan.Zero)
            {
                interrupt.Cancel();
            }
            else
            {
                interrupt.CancelAfter(delay);
            }
        });
        using var error = new StringWriter();
        int code = Program.Run(args, output, error, interrupt.Token);
        return new CliResult(code, output.ToString(), error.ToString());
    }

    private protected static void RequireMnist()
    {
        if (!DatasetCache.IsPresent("mnist"))
        {
            Assert.Ignore("MNIST is not in the cache; `fastnn data mnist` gets it.");
        }
    }

    private protected static void AssertFails(CliResult result, int code, string message) => Assert.Multiple(() =>
    {
        Assert.That(result.Code, Is.EqualTo(code), result.Error);
        Assert.That(result.Error, Does.StartWith("fastnn: ").And.Contain(message));
        Assert.That(result.Error.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(1), "one line says it");
        Assert.That(result.Output, Does.Not.Contain("epoch  "), "nothing was trained");
    });

    private sealed class WatchingWriter(string text, Action seen) : StringWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(text, StringComparison.Ordinal) == true)
            {
                seen();
            }
        }
    }
}

internal sealed record CliResult(int Code, string Output, string Error);
