using System.Diagnostics;
using FastNN.Cli;

namespace FastNN.Cuda.Tests;

/// <summary>
/// Machines without a GPU. A process loads one driver for good, so each case is a child process of the tool with an environment
/// of its own.
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
        Assert.That(error, Does.Contain("driver's library was not found").And.Contain(CudaLibraries.PathVariable)
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
        Assert.That(all.Split("was not found").Length - 1, Is.EqualTo(1), all);
    }

    [Test]
    public void Devices_lists_the_processor_and_why_there_is_no_gpu()
    {
        (int code, string output, string error) = Run(_empty, "devices");
        Assert.That(code, Is.Zero, error);
        Assert.That(output, Does.Contain("cpu   CPU").And.Contain("not found"));
    }

    [Test]
    public void The_path_is_a_list_below_whose_entries_the_folders_of_Pythons_wheels_are_searched(
        [Values("", "nvidia")] string entry)
    {
        string driver = Directory.CreateDirectory(Path.Combine(_empty, "driver")).FullName;
        string packages = Directory.CreateDirectory(Path.Combine(_empty, "site-packages")).FullName;
        Copy("libcuda.so.1", driver, "libcuda.so.1");
        Copy("libcublas.so.12", Path.Combine(packages, "nvidia", "cu13", "lib"), "libcublas.so.13");
        Copy("libcudnn.so.9", Path.Combine(packages, "nvidia", "cudnn", "lib"), "libcudnn.so.9");
        string list = string.Join(Path.PathSeparator, driver, Path.Combine(_empty, "not there"), Path.Combine(packages, entry));
        (int code, string output, string error) = Run(list, "devices");
        Assert.That(code, Is.Zero, error);
        Assert.That(output, Does.Contain("cuda  0:").And.Match(@"cuBLAS   \d+\.").And.Match(@"cuDNN    9\."));
    }

    [Test]
    public void Every_folder_of_the_list_is_named_and_an_empty_entry_is_the_usual_places()
    {
        string second = Directory.CreateDirectory(Path.Combine(_empty, "second")).FullName;
        (int code, string _, string error) = Run(
            string.Join(Path.PathSeparator, _empty, second), "train", "breast-cancer-mlp", "--device", "cuda", "--epochs", "1");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(
            error,
            Does.Contain(Path.Combine(_empty, "libcuda.so.1")).And.Contain(Path.Combine(second, "libcuda.so.1")).And.Not.Contain(
                "/usr/local/cuda"));
        (_, string output, error) = Run(_empty + Path.PathSeparator, "devices");
        Assert.That(
            output, Does.Contain(Path.Combine(_empty, "libcuda.so.1")).And.Contain("/usr/local/cuda/lib64/libcuda.so.1"), error);
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

    /// <summary>A library of the software device under another name, as wheels have it.</summary>
    private static void Copy(string library, string folder, string name)
    {
        TestGpu.Create().Dispose();
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(TestGpu.Folder, library), Path.Combine(folder, name), overwrite: true);
    }

    /// <summary>The tool with a folder to find the driver in.</summary>
    internal static (int Code, string Output, string Error) Run(string folder, params string[] args)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.ProcessPath ?? "dotnet")
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
