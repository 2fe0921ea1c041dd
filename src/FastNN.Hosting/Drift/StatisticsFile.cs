using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FastNN.Formats;

namespace FastNN.Hosting;

/// <summary>Training statistics in the metadata of a safetensors file, and in the settings beside a model.</summary>
internal static class StatisticsFile
{
    private const string SafetensorsExtension = ".safetensors";
    private const string Metadata = "__metadata__";
    private const string Key = "fastnn.statistics";
    private const string Member = "statistics";
    private const int Alignment = 8;
    private const long MostHeader = 100L << 20;

    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Puts statistics into a file.</summary>
    public static void Add(string path, string json)
    {
        if (Path.GetExtension(path).Equals(SafetensorsExtension, StringComparison.OrdinalIgnoreCase))
        {
            AddToSafetensors(path, json);
        }
        else if (Path.GetFileName(path) == ModelManifest.FileName)
        {
            AddToManifest(path, json);
        }
        else
        {
            throw new ArgumentException(
                $"expected a file {SafetensorsExtension} or {ModelManifest.FileName}, got '{Path.GetFileName(path)}'; statistics "
                + $"of an ONNX file belong into {ModelManifest.FileName} in the model's folder, or into the model's options",
                nameof(path));
        }
    }

    /// <summary>The statistics in a model's file; null where it has none.</summary>
    /// <exception cref="FileFormatException">They are malformed.</exception>
    public static TrainingStatistics? Find(string path)
    {
        if (!Path.GetExtension(path).Equals(SafetensorsExtension, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        using FileStream file = File.OpenRead(path);
        if (ReadHeader(path, file)[Metadata]?[Key] is not { } node)
        {
            return null;
        }

        try
        {
            return TrainingStatistics.Parse(node.GetValue<string>());
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            throw new FileFormatException(path, sizeof(ulong), $"training statistics as '{Key}'", exception.Message, exception);
        }
    }

    /// <summary>The statistics in the settings beside a model.</summary>
    /// <exception cref="FileFormatException">They are malformed.</exception>
    public static TrainingStatistics Read(JsonElement settings)
    {
        try
        {
            return StatisticsJson.Read(settings);
        }
        catch (FormatException exception)
        {
            throw new FileFormatException(
                ModelManifest.FileName, 0, $"training statistics as '{Member}'", exception.Message, exception);
        }
    }

    private static void AddToSafetensors(string path, string json)
    {
        using FileStream file = File.OpenRead(path);
        JsonObject header = ReadHeader(path, file);
        if (header[Metadata] is not JsonObject metadata)
        {
            header[Metadata] = metadata = [];
        }

        metadata[Key] = JsonValue.Create(json);
        byte[] text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var head = new byte[sizeof(ulong) + ((text.Length + Alignment - 1) / Alignment * Alignment)];
        head.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(head, (ulong)(head.Length - sizeof(ulong)));
        text.CopyTo(head, sizeof(ulong));

        // Offsets of tensors count from the header's end, so that the rest of the file is the same. The old one is still open: it
        // is replaced by its name.
        AtomicFile.Write(path, target =>
        {
            target.Write(head);
            file.CopyTo(target);
        });
    }

    private static void AddToManifest(string path, string json)
    {
        JsonNode? root = null;
        if (File.Exists(path))
        {
            try
            {
                root = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: Lenient);
            }
            catch (JsonException exception)
            {
                throw new FileFormatException(path, 0, "settings of a model as JSON", exception.Message, exception);
            }
        }

        JsonObject settings = root as JsonObject ?? (root is null
            ? []
            : throw new FileFormatException(path, 0, "a JSON object", $"{root.GetValueKind()}"));
        settings[Member] = JsonNode.Parse(json);
        AtomicFile.Write(path, target => target.Write(Encoding.UTF8.GetBytes(settings.ToJsonString() + "\n")));
    }

    /// <summary>Reads the header, and leaves the file at its end.</summary>
    private static JsonObject ReadHeader(string path, Stream file)
    {
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        if (file.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length
            || BinaryPrimitives.ReadUInt64LittleEndian(length) is var bytes && bytes > (ulong)Math.Min(MostHeader, file.Length))
        {
            throw new FileFormatException(path, 0, "the length of a header", "a file of another kind");
        }

        var header = new byte[(int)BinaryPrimitives.ReadUInt64LittleEndian(length)];
        try
        {
            file.ReadExactly(header);
            return JsonNode.Parse(header) as JsonObject
                ?? throw new FileFormatException(path, sizeof(ulong), "a JSON object as header", "something else");
        }
        catch (Exception exception) when (exception is JsonException or EndOfStreamException)
        {
            throw new FileFormatException(path, sizeof(ulong), "a header of JSON", exception.Message, exception);
        }
    }
}
