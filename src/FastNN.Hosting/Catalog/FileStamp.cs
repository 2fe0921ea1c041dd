using System.Globalization;
using System.Text;

namespace FastNN.Hosting;

/// <summary>What files look like from outside: two equal stamps mean that nobody has written meanwhile.</summary>
internal static class FileStamp
{
    /// <summary>The names, lengths and times of files; those that do not exist are left out.</summary>
    public static string Of(params ReadOnlySpan<string> paths)
    {
        var stamp = new StringBuilder();
        foreach (string path in paths)
        {
            var file = new FileInfo(path);
            if (file.Exists)
            {
                // Through links, as they are when a volume's contents are swapped.
                var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
                stamp.Append(CultureInfo.InvariantCulture, $"{file.Name} {target.Length} {target.LastWriteTimeUtc.Ticks};");
            }
        }

        return stamp.ToString();
    }
}
