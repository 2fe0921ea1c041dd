using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;
using Parallel = System.Threading.Tasks.Parallel;

/// <summary>
/// MSBuild's task (src/FastNN/Cuda/Kernels.targets) that turns each NAME.ptx into the NAME.ptx.br that the library embeds: without
/// comments and indentation, numbers of registers and labels relative to the one before of their kind, which makes the same code
/// the same text wherever it stands, and Brotli's best. That is a nineteenth of the text; FastNN.Cuda.PackedPtx reads it.
/// </summary>
public sealed class PackKernels : Task
{
    private static readonly Regex Comment = new Regex(@"[ \t]*//.*", RegexOptions.Compiled);
    private static readonly Regex Space = new Regex(@"[ \t]+", RegexOptions.Compiled);
    private static readonly Regex Number = new Regex(@"(?:%([a-z]{1,4})|\$L__BB[0-9]+_)([0-9]+)", RegexOptions.Compiled);

    [Required]
    public ITaskItem[] Modules { get; set; } = Array.Empty<ITaskItem>();

    /// <summary>Where NAME.ptx.br goes; one that is newer than its NAME.ptx stays.</summary>
    [Required]
    public string Folder { get; set; } = "";

    public override bool Execute()
    {
        // Tasks are compiled against .NET Standard, which has no Brotli.
        Type brotli = Type.GetType("System.IO.Compression.BrotliStream, System.IO.Compression.Brotli");
        if (brotli is null)
        {
            Log.LogError("FastNN's CUDA kernels are packed by .NET's own MSBuild: build with `dotnet build`");
            return false;
        }

        Directory.CreateDirectory(Folder);
        Parallel.ForEach(Modules.Select(module => module.ItemSpec), module => Pack(module, brotli));
        return true;
    }

    private void Pack(string module, Type brotli)
    {
        string packed = Path.Combine(Folder, Path.GetFileName(module) + ".br");
        if (File.Exists(packed) && File.GetLastWriteTimeUtc(packed) >= File.GetLastWriteTimeUtc(module))
        {
            return;
        }

        byte[] text = Encoding.ASCII.GetBytes(MakeRelative(Strip(File.ReadAllLines(module))));

        // Whole or not at all: a file that is there counts as finished.
        string scratch = packed + ".part";
        using (FileStream file = File.Create(scratch))
        {
            const CompressionLevel SmallestSize = (CompressionLevel)3;
            using (var stream = (Stream)Activator.CreateInstance(brotli, file, SmallestSize))
            {
                stream.Write(text, 0, text.Length);
            }
        }

        File.Delete(packed);
        File.Move(scratch, packed);
    }

    private static string Strip(IEnumerable<string> lines) => string.Concat(
        lines.Select(line => Space.Replace(Comment.Replace(line, ""), " ").Trim())
            .Where(line => line.Length > 0)
            .Select(line => line + "\n"));

    private static string MakeRelative(string text)
    {
        var last = new Dictionary<string, int>();
        return Number.Replace(text, match =>
        {
            Group digits = match.Groups[2];
            string kind = match.Groups[1].Value;
            int number = int.Parse(digits.Value);
            last.TryGetValue(kind, out int before);
            last[kind] = number;
            return match.Value.Substring(0, digits.Index - match.Index) + (number - before);
        });
    }
}
