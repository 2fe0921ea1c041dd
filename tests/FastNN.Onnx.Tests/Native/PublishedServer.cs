using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastNN.Onnx.Tests.Native;

/// <summary>samples/NativeAotServer, published as native code once, and what starts it.</summary>
internal sealed class PublishedServer : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fastnn-native").FullName;

    public PublishedServer()
    {
        // No process that outlives the build and holds its output open.
        using Process build = Start(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", "publish",
            Path.Combine(Root(), "samples", "NativeAotServer"), "-c", "Release", "-o", _folder, "--nologo", "-nodeReuse:false",
            // The analyzers ran in the build of the solution.
            "-p:UseSharedCompilation=false", "-p:FastNNFromSource=true", "-p:RunAnalyzers=false");
        Task<string> errors = build.StandardError.ReadToEndAsync();
        Log = build.StandardOutput.ReadToEnd() + errors.Result;
        build.WaitForExit();
        Code = build.ExitCode;
    }

    /// <summary>The exit code of the build.</summary>
    public int Code { get; }

    /// <summary>What the build said.</summary>
    public string Log { get; }

    public string Program => At("digits-server");

    public string At(string name) => Path.Combine(_folder, name);

    /// <summary>Starts the program.</summary>
    // What runs the tests may ignore signals (a shell's background), and a child would inherit that.
    public Process Start(params string[] arguments) =>
        Start("env", ["--default-signal=INT,TERM", "-u", "FASTNN_CHECKS", Program, .. arguments]);

    /// <summary>Runs it to its end.</summary>
    public (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using Process program = Start(arguments);
        Task<string> errors = program.StandardError.ReadToEndAsync();
        string output = program.StandardOutput.ReadToEnd();
        program.WaitForExit();
        return (program.ExitCode, output, errors.Result);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
