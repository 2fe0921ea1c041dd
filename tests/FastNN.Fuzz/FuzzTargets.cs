using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Fuzz;

/// <summary>Every reader of the library. Bounds are those that the readers document, for files of these sizes.</summary>
internal static class FuzzTargets
{
    private static readonly byte[][] Json =
    [
        .. new[]
        {
            "\"dtype\":", "\"shape\":[", "\"data_offsets\":[", "\"__metadata__\":{", "F32", "BF16", "I64", "U8", "BOOL", "{", "}",
            "[", "]", ",", "\"", "\\u0000",
            "\\ud800", "null", "true", "\u202E",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>All of them; files that have to lie on a disk are put into the folder.</summary>
    public static IReadOnlyList<FuzzTarget> All(string folder)
    {
        byte[] weights = Weights();
        Sequential model = Model();
        return
        [
            new(
                "safetensors", [Safetensors(), weights], Json, ReadSafetensors,
                length => (2 * length) + (256 * (length / 40)) + (64 << 10)),
            new(
                "weights", [weights], Json, file => LoadWeights(model, file, Path.Combine(folder, "weights.safetensors")),
                length => (8 * length) + (256 << 10)),
            new("model", Models(), Json, file => FastNN.Model.Load(new MemoryStream(file)), length => (64 * length) + (4 << 20)),
            new("idx", Idx(), [], file => IdxFile.Read(new MemoryStream(file)), length => (2 * length) + (32 << 10)),
            new(
                "idx gzip", [.. Idx().Select(Gzip)], [], file => IdxFile.Read(new MemoryStream(file), maxBytes: 1 << 20),
                _ => (1 << 20) + (128 << 10)),
            new(
                "idx inside gzip", Idx(), [], file => IdxFile.Read(new MemoryStream(Gzip(file)), maxBytes: 1 << 20),
                length => (8 * length) + (1 << 20)),
            new("idx dataset", [IdxPair()], [], ReadIdxPair, length => (8 * length) + (64 << 10)),
            new("csv", Csv(), CsvTokens, file => ReadCsv(file, new CsvOptions()), CsvBound),
            new(
                "csv of values", Csv(), CsvTokens,
                file => ReadCsv(file, new CsvOptions { Target = CsvTarget.Value, TargetColumn = 0 }), CsvBound),
            new(
                "csv of known", Csv(), CsvTokens,
                file => ReadCsv(file, new CsvOptions { ClassNames = ["x", "y", "0"], SkipLines = 1, HasHeader = false }),
                CsvBound),
            new(
                "cifar", [Cifar(1), Cifar(3)], [], file => Cifar10.Read(new MemoryStream(file)),
                length => (2 * length) + (32 << 10)),
            new("r", [RValue()], [], file => new RReader(file, "x").Read(), length => (64 * length) + (8 << 20)),
            new("json lines", [JsonRecords()], Json, ReadJsonLines, length => (64 * length) + (256 << 10)),
            new(
                "arff", [Arff()], [], file => ArffTable.Read(file, "x"), length => (64 * length) + (256 << 10)),
            new(
                "wav", [Wav()], [.. new[] { "fmt ", "data", "LIST" }.Select(Encoding.UTF8.GetBytes)],
                file => WavFile.Parse(file, "x").ReadMono(), length => (8 * length) + (256 << 10)),
            new(
                "control file", [Control()], [], ReadControl, length => (256 * length) + (256 << 10)),
            new("npm archive", [Tar()], [], file => ReadTar(Gzip(file), folder), length => (4 * length) + (1 << 20)),
            new("npm archive, gzip", [Gzip(Tar())], [], file => ReadTar(file, folder), length => (4 * length) + (1 << 20)),
        ];
    }

    private static byte[][] CsvTokens { get; } = [
        .. new[] { "\"", "\"\"", ",", "\n", "\r\n", "\r", "\0", "\uFEFF", "\uFFFD", "1e5", "x", " " }.Select(
            Encoding.UTF8.GetBytes)];

    private static long CsvBound(long length) => (8 * length) + (1 << 20);

    private static void ReadSafetensors(byte[] file)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(new MemoryStream(file));
        Span<byte> bytes = stackalloc byte[4096];
        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            if (tensor.ByteLength <= bytes.Length)
            {
                reader.ReadRaw(tensor, bytes[..(int)tensor.ByteLength]);
            }
        }
    }

    private static Sequential Model()
    {
        var model = new Sequential(new Conv2D(2, (3, 3), Activation.ReLU), new Flatten(), new Dense(3));
        model.Build([5, 5, 1], seed: 1);
        return model;
    }

    private static byte[][] Models()
    {
        Symbol x = FastNN.Model.Input("x", [4]), h = new Dense(3, Activation.LeakyReLU(0.1f)).Apply(x);
        var functional =
            new Model([x], [("y", new Concatenate().Apply(h, h * h)), ("z", h)])
            {
                ClassNames = ["a", "b"],
                Preprocessing = Preprocessing.Scaling(2)
            };
        functional.Build();
        return [Bytes(Model()), Bytes(functional)];

        static byte[] Bytes(Layer layer)
        {
            using var stream = new MemoryStream();
            layer.Save(stream);
            return stream.ToArray();
        }
    }

    private static void LoadWeights(Sequential model, byte[] file, string path)
    {
        File.WriteAllBytes(path, file);
        model.LoadWeights(path);
    }

    private static void ReadCsv(byte[] file, CsvOptions options) => CsvDataset.Load(new MemoryStream(file), options);

    private static void ReadTar(byte[] archive, string folder) => TarArchive.Extract(
        new MemoryStream(archive), "archive.tgz",
        entry => entry.EndsWith("-ubyte", StringComparison.Ordinal) ? (Path.Combine(folder, "entry"), 1 << 16) : null);

    // Both files in one, the length of the first in front, so that the mutator damages either.
    private static void ReadIdxPair(byte[] file)
    {
        int cut = file.Length == 0 ? 0 : Math.Min((int)file[0], file.Length - 1);
        IdxDataset.Load(
            new MemoryStream(file, Math.Min(1, file.Length), cut), new MemoryStream(file[Math.Min(1 + cut, file.Length)..]),
            ["a", "b"]);
    }

    // A table of a factor, numbers and texts, a compact sequence and a reference, in R's serialization.
    private static byte[] RValue()
    {
        var bytes = new List<byte>();
        bytes.AddRange("X\n"u8);
        Int(2, 0x00040202, 0x00020300, 0x213, 4, 0x30D, 2, 1, 2);
        Pair("levels", () => Texts("a", "b"));
        Pair("class", () => Texts("factor"));
        Int(254, 14, 2, 0x3FF00000, 0, 0x7FF00000, 1954);
        Texts("x", "\u00E9");
        Int(238, 2);
        Symbol("compact_intseq");
        Int(2);
        Symbol("base");
        Int(2, 13, 1, 13, 254, 14, 3, 0x40000000, 0, 0x3FF00000, 0, 0x3FF00000, 0, 254);
        Pair("names", () => Texts("a", "b", "c", "d"));
        Int(0x402, (1 << 8) | 255);
        Texts("data.frame");
        Int(254);
        return [.. bytes];

        void Int(params int[] values)
        {
            foreach (int value in values)
            {
                bytes.AddRange([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
            }
        }

        void Text(string text)
        {
            byte[] content = Encoding.UTF8.GetBytes(text);
            Int(9 | (1 << 15), content.Length);
            bytes.AddRange(content);
        }

        void Texts(params string[] texts)
        {
            Int(16, texts.Length);
            Array.ForEach(texts, Text);
        }

        void Symbol(string name)
        {
            Int(1);
            Text(name);
        }

        void Pair(string name, Action value)
        {
            Int(0x402);
            Symbol(name);
            value();
        }
    }

    private static byte[] JsonRecords() => [.. "{\"a\":\"x\\n\\u00e9\",\"b\":\"\"}\n\n{\"c\":[1,{}],\"b\":\"y\",\"a\":\"\"}\n"u8];

    private static void ReadJsonLines(byte[] file) => JsonLines.Read(file, "x", ["a", "b"], (texts, _) => texts);

    private static byte[] Arff() =>
        [.. "% x\n@relation r\n@attribute n numeric\n@attribute k {'a b', c}\n@attribute t string\n@data\n1.5,c,?\n-2,'a b','d\\'e'\n"u8];

    private static byte[] Wav()
    {
        using var file = new MemoryStream();
        WavFile.Write(file, [0, 0.5f, -0.5f, 1, -1, 0], 8000, channels: 2);
        return file.ToArray();
    }

    private static byte[] Control() => [.. "Package: a\nDepends: b (>= 1) | c\nDescription: d\n e\n .\n  f\n\nPackage: b\n"u8];

    private static void ReadControl(byte[] file)
    {
        using var text = new StreamReader(new MemoryStream(file));
        foreach (Dictionary<string, string> stanza in ControlFile.Read(text, "x"))
        {
            foreach (string value in stanza.Values)
            {
                ControlFile.Paragraphs(value);
                _ = ControlFile.Names(value).Count();
            }
        }
    }

    private static byte[] Safetensors()
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        writer.SetMetadata("\u00FCn\u00EF", "\"quoted\"\n");
        writer.Add("weight", [2, 3], new float[6]);
        writer.Add("double", [], new double[1]);
        writer.Add("steps", [2], new long[2]);
        writer.Add("labels", [3], new int[3]);
        writer.Add("mask", [3], new byte[3]);
        writer.Add("empty", [0, 5], Array.Empty<float>());
        return Bytes(writer.Save);
    }

    private static byte[] Weights()
    {
        using var stream = new MemoryStream();
        Model().SaveWeights(stream);
        return stream.ToArray();
    }

    private static byte[][] Idx() =>
    [
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, .. new byte[12]],
        [0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 1, 0],
        [0, 0, 0x0D, 2, 0, 0, 0, 2, 0, 0, 0, 2, .. Enumerable.Repeat((byte)0x3F, 16)],
        [0, 0, 0x0E, 1, 0, 0, 0, 1, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0x0B, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6],
    ];

    private static byte[] IdxPair() => [28, .. Idx()[0], 0, 0, 8, 1, 0, 0, 0, 2, 0, 1];

    private static byte[][] Csv() =>
    [
        Encoding.UTF8.GetBytes("1,2,x\n3,\"4\",y\r\n5,6.25,x\n1,2,0\n"),
        Encoding.UTF8.GetBytes("0.5,1e3,0\n-3, 4 ,\"0\"\n\n.5,-0,0\n"),
    ];

    private static byte[] Cifar(int records)
    {
        var file = new byte[records * 3073];
        file[^3073] = 9;
        return file;
    }

    private static byte[] Tar() => Bytes(stream =>
    {
        using var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true);
        foreach (string name in (string[])[
            "package/package.json", "package/data/train-images-idx3-ubyte", "package/data/t10k-labels-idx1-ubyte"])
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(new byte[700]) });
        }
    });

    private static byte[] Gzip(byte[] content) => Bytes(stream =>
    {
        using var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        gzip.Write(content);
    });

    private static byte[] Bytes(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }
}
