using System.Globalization;
using FastNN.Formats;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

/// <summary>
/// The files beside a model that hold elements of its tensors. They are within the model's folder, links included; two tensors
/// have the same bytes or none in common.
/// </summary>
internal sealed class ExternalData(string modelPath) : IDisposable
{
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;
    private readonly Dictionary<string, Content> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedSet<(long Offset, long End)>> _used = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>The bytes of a tensor.</summary>
    /// <exception cref="FileFormatException">The place is not within a file of the folder, or overlaps another
    /// tensor's.</exception>
    public ByteRange Find(TensorDef tensor)
    {
        Dictionary<string, string> entry = tensor.External!;
        if (!entry.TryGetValue("location", out string? location) || location.Length == 0)
        {
            throw TensorDecoder.Error(tensor, "a location of external data", "none");
        }

        lock (_lock)
        {
            string path = Resolve(tensor, location);
            if (!_files.TryGetValue(path, out Content? file))
            {
                _files.Add(path, file = Content.OfFile(path));
            }

            long offset = Number(tensor, "offset") ?? 0;
            long length = Number(tensor, "length") ?? file.Length - offset;
            if (offset > file.Length || length < 0 || length > file.Length - offset)
            {
                throw TensorDecoder.Error(tensor, $"a place within the {file.Length} bytes of '{location}'",
                    string.Create(CultureInfo.InvariantCulture, $"offset {offset}, length {length}"));
            }

            var range = new ByteRange(file, offset, length);
            Reserve(tensor, path, range);
            return range;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (Content file in _files.Values)
            {
                file.Dispose();
            }

            _files.Clear();
        }
    }

    private string Resolve(TensorDef tensor, string location)
    {
        string path = Path.GetFullPath(Path.Combine(_folder, location));
        if (Path.IsPathRooted(location) || location.Contains('\0', StringComparison.Ordinal) || !IsWithin(path, _folder))
        {
            throw TensorDecoder.Error(tensor, "external data within the model's folder", $"location '{location}'");
        }

        // A link on the way may lead out again.
        string real = RealPath(path), folder = RealPath(_folder);
        return IsWithin(real, folder)
            ? real
            : throw TensorDecoder.Error(tensor, "external data within the model's folder",
                $"location '{location}', a link that leads out of it");
    }

    private static bool IsWithin(string path, string folder) =>
        path.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The path with every link on it followed.</summary>
    private static string RealPath(string path)
    {
        string real = Path.GetPathRoot(path)!;
        foreach (string part in path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            FileSystemInfo info = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
            if (info.ResolveLinkTarget(returnFinalTarget: true) is { } target)
            {
                real = RealPath(target.FullName);
            }
        }

        return real;
    }

    private static long? Number(TensorDef tensor, string key)
    {
        if (!tensor.External!.TryGetValue(key, out string? text))
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw TensorDecoder.Error(tensor, $"a number as the {key} of external data", $"'{Quote.Text(text)}'");
    }

    private void Reserve(TensorDef tensor, string path, ByteRange range)
    {
        if (range.Length == 0)
        {
            return;
        }

        if (!_used.TryGetValue(path, out SortedSet<(long Offset, long End)>? used))
        {
            _used.Add(path, used = []);
        }

        // Ranges are apart, so of all that begin before this one's end only the last can reach into it.
        (long Offset, long End) last = used.GetViewBetween((long.MinValue, 0), (range.End - 1, long.MaxValue)).Max;
        if (last.End > range.Offset && last != (range.Offset, range.End))
        {
            throw TensorDecoder.Error(tensor, "external data that overlaps no other tensor's",
                string.Create(CultureInfo.InvariantCulture,
                    $"bytes {range.Offset} to {range.End} beside {last.Offset} to {last.End} of another"));
        }

        used.Add((range.Offset, range.End));
    }
}
