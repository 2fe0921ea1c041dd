using System.Diagnostics;

namespace FastNN.Tests.Cli;

/// <summary>The tool in a process of its own, and the signals that end it.</summary>
[Platform(Exclude = "Win")]
internal sealed class SignalTests : CliFixture
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    [TestCase("HUP", 129)]
    [TestCase("TERM", 143)]
    [TestCase("INT", 130)]
    public void A_signal_saves_the_run_and_says_how_to_continue(string signal, int code)
    {
        string folder = At("it's a  run");
        (int got, string error) = Send(
            signal, "epoch  1/", "train", "breast-cancer-mlp", "--epochs", "100000", "--threads", "1", "--json", At("run.json"),
            "--out", folder);
        Assert.That(got, Is.EqualTo(code), error);
        Assert.That(
            error,
            Does.Contain("interrupted after step").And.Contain("fastnn train breast-cancer-mlp --epochs 100000 --threads 1"));
        Assert.That(
            error,
            Does.Contain($"--json {At("run.json")} --out '{folder.Replace("'", @"'\''", StringComparison.Ordinal)}' --resume"));
        Assert.That(File.Exists(Path.Combine(folder, "checkpoint.safetensors")));
    }

    [Test]
    public void A_signal_ends_an_evaluation()
    {
        RequireMnist();
        Assert.That(Run("train", "mnist-cnn", "--epochs", "1", "--limit", "64", "--out", At("run")).Code, Is.Zero);
        (int code, string error) = Send(
            "INT", "test examples", "evaluate", "mnist-cnn", "--threads", "1", "--json", At("test.json"), "--weights",
            Path.Combine(At("run"), "weights.safetensors"));
        Assert.That((code, error.Trim()), Is.EqualTo((130, "fastnn: interrupted")));
        Assert.That(File.Exists(At("test.json")), Is.False);
    }

    [Test]
    public void A_cancelled_evaluation_gives_no_figures()
    {
        Assert.That(Run("train", "breast-cancer-mlp", "--epochs", "1", "--out", At("run")).Code, Is.Zero);
        CliResult result = RunUntil(
            "test examples", "evaluate", "breast-cancer-mlp", "--weights", Path.Combine(At("run"), "weights.safetensors"));
        Assert.That((result.Code, result.Error.Trim()), Is.EqualTo((130, "fastnn: interrupted")));
        Assert.That(result.Output, Does.Not.Contain("test accuracy"));
    }

    /// <summary>Starts the tool, and sends it a signal as soon as a line has a text.</summary>
    private static (int Code, string Error) Send(string signal, string text, params string[] args)
    {
        // What runs the tests may ignore signals (nohup, a shell's background), and a child would inherit that.
        var start = new ProcessStartInfo("env")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("--default-signal=HUP,INT,TERM");
        start.ArgumentList.Add(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet");
        start.ArgumentList.Add(typeof(FastNN.Cli.Program).Assembly.Location);
        foreach (string argument in args)
        {
            start.ArgumentList.Add(argument);
        }

        using Process tool = Process.Start(start)!;
        Task<string> error = tool.StandardError.ReadToEndAsync();
        while (tool.StandardOutput.ReadLine() is { } line && !line.Contains(text, StringComparison.Ordinal))
        {
        }

        using (Process kill = Process.Start(
            "kill", ["-s", signal, tool.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        _ = tool.StandardOutput.ReadToEndAsync();
        if (!tool.WaitForExit(Longest))
        {
            tool.Kill(entireProcessTree: true);
            Assert.Fail($"The tool did not end within {Longest} after {signal}.");
        }

        return (tool.ExitCode, error.Result);
    }
}
