using System.Diagnostics;
using FastNN.Onnx.Model;
using FastNN.Testing;

namespace FastNN.Onnx.Tests.Export;

/// <summary>The standard's own checker, of Debian's python3-onnx, over what is written here.</summary>
public sealed class CheckerTests
{
    private const string Script = """
        import glob, sys
        import onnx
        if sys.argv[1] == "version":
            print(onnx.defs.onnx_opset_version())
            sys.exit(0)
        for path in sorted(glob.glob(sys.argv[1] + "/*.onnx")):
            try:
                onnx.checker.check_model(onnx.load(path), full_check=True)
            except Exception as error:
                print(path, str(error).replace("\n", " ")[:400])
        """;

    [Test]
    public void The_standards_checker_accepts_what_is_written()
    {
        int newest = Newest();
        string folder = Directory.CreateTempSubdirectory("fastnn-onnx-").FullName;
        try
        {
            int count = 0;
            foreach (NetworkCase one in NetworkTable.Large.Concat(NetworkTable.Layers))
            {
                int opset = Math.Min(newest, 17 + (count % 5));
                one.Make().ExportOnnx(Path.Combine(folder, $"network{count++}.onnx"), opset);
            }

            foreach ((string family, OpCase @case) in OpCases.Sample(OpCases.All, 9))
            {
                Value output = @case.Record();
                int opset = Math.Min(newest, 17 + (count % 5));
                try
                {
                    ModelDef file = OnnxExport.Write(output.Graph, [("y", output)], opset, null).Model;
                    File.WriteAllBytes(Path.Combine(folder, $"case{count++} {family}.onnx"), ModelWriter.Write(file).ToArray());
                }
                catch (OnnxException)
                {
                    // What cannot be written has tests of its own.
                }
            }

            Assert.That(count, Is.GreaterThan(200));
            Assert.That(Run(folder), Is.Empty);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The newest opset that the installed checker knows.</summary>
    private static int Newest()
    {
        try
        {
            return Run("version").Trim() is { Length: > 0 } text && int.TryParse(text, out int opset) && opset >= 17
                ? opset
                : throw new IgnoreException("the ONNX checker is not here, or older than opset 17: apt-get install python3-onnx");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new IgnoreException("the ONNX checker is not here: apt-get install python3-onnx");
        }
    }

    /// <summary>What the script prints.</summary>
    private static string Run(string argument)
    {
        // The distribution's Python has the package, whatever other is in front of it.
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", Script, argument])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 || argument == "version" ? output : throw new InvalidOperationException(errors.Result);
    }
}
