using System.Diagnostics;
using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>
/// Machines without a GPU. A process loads one driver for good, so each case is a child process of the tool with an environment of its own.
/// </summary>
internal sealed class NoDriverTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private string _empty = "";

    [OneTimeSetUp]
    public void MakeFolder() => _empty = Directory.CreateTempSubdirectory("fastnn-no-driver-").FullName;

    [OneTimeTearDown]
    public void RemoveFolder() => Directory.Delete(_empty, recursive: true);

    [Test]
    public void Without_a_driver_every_path_tried_is_named()
    {
        (int code, string _, string error) = Run(_empty, "train", "breast-cancer-mlp", "--device", "cuda", "--epochs", "1");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Contain("driver's library is not to be found").And.Contain(CudaLibraries.PathVariable)
            .And.Contain(Path.Combine(_empty, "libcuda.so.1")).And.Contain(Path.Combine(_empty, "libcuda.so")));
    }

    [Test]
    public void What_the_loader_says_of_a_file_is_told()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_empty, "broken")).FullName;
        File.WriteAllText(Path.Combine(folder, "libcuda.so.1"), "no library");
        (int code, string _, string error) = Run(folder, "train", "breast-cancer-mlp", "--device", "cuda", "--epochs", "1");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.Contain("libcuda.so.1 (").And.Contain("file too short").Or.Contain("invalid ELF header"));
    }

    [Test]
    public void Best_takes_the_processor_and_says_why_once()
    {
        (int code, string output, string error) = Run(_empty, "train", "breast-cancer-mlp", "--device", "best", "--epochs", "1");
        Assert.That(code, Is.Zero, error);
        string all = output + error;
        Assert.That(all, Does.Contain("epoch  1"));
        Assert.That(all.Split("is not to be found").Length - 1, Is.EqualTo(1), all);
    }

    [Test]
    public void Devices_lists_the_processor_and_why_there_is_no_gpu()
    {
        (int code, string output, string error) = Run(_empty, "devices");
        Assert.That(code, Is.Zero, error);
        Assert.That(output, Does.Contain("cpu   CPU").And.Contain("not to be found"));
    }

    [Test]
    public void NVIDIAs_driver_without_a_gpu_is_named()
    {
        string folder = NvidiaLibraries.Require();
        (int code, string output, string error) = Run(folder, "train", "breast-cancer-mlp", "--device", "cuda", "--epochs", "1");
        Assert.That(code, Is.EqualTo(1), output);
        Assert.That(error, Does.Contain("cuInit failed with ErrorNoDevice (100)").And.Contain("no GPU"));
        Assert.That(error.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(1), "one line says it");
        (code, output, error) = Run(folder, "train", "breast-cancer-mlp", "--device", "best", "--epochs", "1");
        Assert.That(code, Is.Zero, error);
        Assert.That(output, Does.Contain("epoch  1"), "the processor trains on");
    }

    /// <summary>The tool with a folder to find the driver in.</summary>
    internal static (int Code, string Output, string Error) Run(string folder, params string[] args)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(Program).Assembly.Location);
        foreach (string arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        start.Environment[CudaLibraries.PathVariable] = folder;
        using Process child = Process.Start(start)!;
        Task<string> output = child.StandardOutput.ReadToEndAsync();
        Task<string> errors = child.StandardError.ReadToEndAsync();
        if (!child.WaitForExit(Longest))
        {
            child.Kill(entireProcessTree: true);
            Assert.Fail($"The child did not end within {Longest}.");
        }

        return (child.ExitCode, output.Result, errors.Result);
    }
}
