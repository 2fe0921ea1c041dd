using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Damaged, foreign and hostile files: a named error, little memory, nothing executed.</summary>
public sealed class HostileFileTests
{
    private static void Refused(ModelDef model, params string[] parts)
    {
        Exception? error = Assert.Catch(() => model.Load().Dispose());
        Assert.That(error, Is.TypeOf<FileFormatException>());
        foreach (string part in parts)
        {
            Assert.That(error!.Message, Does.Contain(part));
        }
    }

    [Test]
    public void A_file_of_another_format_is_refused()
    {
        foreach (byte[] bytes in new byte[][] { [], [0], "PK\u0003\u0004 a zip archive"u8.ToArray(),
            "{\"json\": true}"u8.ToArray(), new byte[4096] })
        {
            Assert.That(() => OnnxModel.Load(bytes, "foreign"),
                Throws.TypeOf<FileFormatException>().With.Message.StartsWith("foreign: offset"));
        }
    }

    [Test]
    public void A_file_that_is_cut_anywhere_is_refused_or_complete()
    {
        byte[] whole = ModelWriter.Write(Sample()).ToArray();
        for (int length = 0; length < whole.Length; length++)
        {
            try
            {
                OnnxModel.Load(whole.AsMemory(0, length), "cut").Dispose();
            }
            catch (FileFormatException)
            {
            }
        }
    }

    [Test]
    public void Inputs_that_nothing_computes_are_named() => Refused(
        Build.Model(13, Build.Node("Add", "x missing", "y")).With(["x"], ["y"]), "Add (output 'y')", "'missing'");

    [Test]
    public void Cycles_are_named() => Refused(
        Build.Model(13, Build.Node("Add", "x b", "a"), Build.Node("Neg", "a", "b")).With(["x"], ["b"]), "cycle");

    [Test]
    public void A_name_defined_twice_is_refused() => Refused(
        Build.Model(13, Build.Node("Neg", "x", "y"), Build.Node("Abs", "x", "y")).With(["x"], ["y"]), "'y' again");

    [Test]
    public void An_output_that_nothing_computes_is_refused() => Refused(
        Build.Model(13, Build.Node("Neg", "x", "y")).With(["x"], ["z"]), "'z'");

    [Test]
    public void Nodes_in_any_order_are_sorted()
    {
        using OnnxModel model = Build.Model(13, Build.Node("Neg", "a", "y"), Build.Node("Exp", "x", "a")).With(["x"], ["y"])
            .Load();
        OnnxValue? y = model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create([0f], 1) })[0];
        Assert.That(y.Floats(), Is.EqualTo(new[] { -1f }));
    }

    [Test]
    public void Sizes_that_do_not_fit_the_bytes_are_refused()
    {
        foreach (long[] dims in new long[][] { [3], [1L << 40], [-1], [1 << 20, 1 << 20], [long.MaxValue, 2] })
        {
            TensorDef tensor = Build.Tensor("w", [1f, 2f], dims);
            Refused(Build.Model(13, Build.Node("Add", "x w", "y")).With(["x"], ["y"]).With(tensor), "tensor 'w'");
        }
    }

    [Test]
    public void Functions_that_call_themselves_are_refused()
    {
        var function = new FunctionDef { Name = "Loop", Domain = "own" };
        function.Inputs.Add("a");
        function.Outputs.Add("b");
        NodeDef call = Build.Node("Loop", "a", "b");
        call.Domain = "own";
        function.Nodes.Add(call);
        NodeDef first = Build.Node("Loop", "x", "y");
        first.Domain = "own";
        ModelDef model = Build.Model(13, first).With(["x"], ["y"]);
        model.Functions.Add(function);
        Refused(model, "at most 64 functions");
    }

    [Test]
    public void Messages_nested_too_deep_are_refused()
    {
        GraphDef graph = new() { Name = "inner" };
        for (int depth = 0; depth < 60; depth++)
        {
            graph = new GraphDef
            {
                Name = "outer",
                Nodes = [Build.Node("If", "c", "y", Build.Graph("then_branch", graph), Build.Graph("else_branch", graph))],
            };
            if (depth > 12)
            {
                // The two branches double the file; one is deep enough from here on.
                graph.Nodes[0].Attributes.Remove("else_branch");
            }
        }

        Refused(new ModelDef { IrVersion = 10, Graph = graph, Opsets = { [""] = 13 } }, "messages within one another");
    }

    [Test]
    public void External_data_stays_within_the_folder_and_does_not_overlap()
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-onnx-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "data"), new byte[64]);
            File.CreateSymbolicLink(Path.Combine(folder, "link"), "/etc/hostname");
            Assert.Multiple(() =>
            {
                Assert.That(() => LoadExternal(folder, "data", 0, 8), Throws.Nothing);
                Assert.That(() => LoadExternal(folder, "../data", 0, 8),
                    Throws.TypeOf<FileFormatException>().With.Message.Contains("within the model's folder"));
                Assert.That(() => LoadExternal(folder, "/etc/hostname", 0, 8),
                    Throws.TypeOf<FileFormatException>().With.Message.Contains("within the model's folder"));
                Assert.That(() => LoadExternal(folder, "link", 0, 8),
                    Throws.TypeOf<FileFormatException>().With.Message.Contains("a link that leads out"));
                Assert.That(() => LoadExternal(folder, "data", 60, 8),
                    Throws.TypeOf<FileFormatException>().With.Message.Contains("a place within the 64 bytes"));
                Assert.That(() => LoadExternal(folder, "data", 4, 8, secondOffset: 8),
                    Throws.TypeOf<FileFormatException>().With.Message.Contains("overlaps no other"));
                Assert.That(() => LoadExternal(folder, "data", 8, 8, secondOffset: 8), Throws.Nothing);
            });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void LoadExternal(string folder, string location, long offset, long length, long? secondOffset = null)
    {
        TensorDef External(string name, long at)
        {
            TensorDef tensor = Build.Tensor(name, [0f, 0f], 2);
            tensor.Raw = null;
            tensor.External = new(StringComparer.Ordinal)
            {
                ["location"] = location,
                ["offset"] = at.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["length"] = length.ToString(System.Globalization.CultureInfo.InvariantCulture),
            };
            return tensor;
        }

        ModelDef model = Build.Model(13, Build.Node("Add", "x w", "y")).With(["x"], ["y"])
            .With([External("w", offset), .. secondOffset is { } second ? (TensorDef[])[External("v", second)] : []]);
        string path = Path.Combine(folder, "model.onnx");
        File.WriteAllBytes(path, ModelWriter.Write(model).Span);
        OnnxModel.Load(path).Dispose();
    }

    [Test]
    public void Ten_million_damaged_bytes_are_refused_or_read([Values(1, 2, 3, 4)] int seed)
    {
        byte[] whole = ModelWriter.Write(Sample()).ToArray();
        var random = new Random(seed);
        long read = 0;
        while (read < 2_500_000)
        {
            byte[] bytes = (byte[])whole.Clone();
            for (int edits = random.Next(1, 6); edits > 0; edits--)
            {
                bytes[random.Next(bytes.Length)] = (byte)(random.Next(3) == 0 ? random.Next(2) * 0xFF : random.Next(256));
            }

            int length = random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length;
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                OnnxModel.Load(bytes.AsMemory(0, length), "damaged").Dispose();
            }
            catch (FileFormatException)
            {
            }

            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20),
                "bytes allocated for a file of a few hundred");
            read += length;
        }
    }

    /// <summary>What a damaged file says is not for the reader to guess: what Google's parser refuses, it refuses.</summary>
    [Test]
    public void Damaged_files_are_read_only_where_Googles_parser_reads_them([Values(11, 12)] int seed)
    {
        byte[] whole = ModelWriter.Write(Sample()).ToArray();
        Assert.That(ProtobufOracle.TakesModel(whole), Is.True);
        var random = new Random(seed);
        int readable = 0, refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = (byte[])whole.Clone();
            for (int edits = random.Next(1, 4); edits > 0; edits--)
            {
                bytes[random.Next(bytes.Length)] = (byte)(random.Next(3) == 0 ? random.Next(2) * 0xFF : random.Next(256));
            }

            bytes = random.Next(8) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
            bool taken = ProtobufOracle.TakesModel(bytes);
            refused += taken ? 0 : 1;
            try
            {
                OnnxModel.Load(bytes, "damaged").Dispose();
                readable++;
            }
            catch (FileFormatException)
            {
                continue;
            }

            Assert.That(taken, Is.True, $"read, but Google's parser refuses it: {Convert.ToHexString(bytes)}");
        }

        // Both kinds have to occur for the comparison to say something.
        Assert.That(readable, Is.GreaterThan(1000));
        Assert.That(refused, Is.GreaterThan(1000));
    }

    private static ModelDef Sample()
    {
        var branch = new GraphDef
        {
            Name = "branch",
            Nodes = [Build.Node("Neg", "h", "r")],
            Outputs = [new ValueDef { Name = "r" }],
        };
        return Build.Model(17,
                Build.Node("MatMul", "x w", "h"),
                Build.Node("Constant", "", "c", new AttributeDef
                {
                    Name = "value",
                    Kind = AttributeKind.Tensor,
                    Tensor = Build.Tensor("", OnnxElementType.Bool, [], [1]),
                }),
                Build.Node("If", "c", "b", Build.Graph("then_branch", branch), Build.Graph("else_branch", branch)),
                Build.Node("Softmax", "b", "y", Build.Int("axis", -1)))
            .With(["x"], ["y"]).With(Build.Tensor("w", [1f, 2f, 3f, 4f], 2, 2));
    }

    [Test]
    public void Wrong_inputs_are_told_with_both_signatures()
    {
        ModelDef definition = Build.Model(13, Build.Node("Neg", "x", "y")).With(["x"], ["y"]);
        definition.Graph!.Inputs[0].Type =
            new TypeDef { Element = OnnxElementType.Float32, Shape = [new(-1, "batch"), new(3, null)] };
        using OnnxModel model = definition.Load();
        foreach (Dictionary<string, OnnxValue> wrong in new Dictionary<string, OnnxValue>[]
        {
            [],
            new() { ["z"] = OnnxTensor.Create(new float[3], 1, 3) },
            new() { ["x"] = OnnxTensor.Create(new float[3], 3) },
            new() { ["x"] = OnnxTensor.Create(new float[4], 1, 4) },
            new() { ["x"] = OnnxTensor.Create(new double[3], 1, 3) },
        })
        {
            Assert.That(() => model.Evaluate(wrong), Throws.TypeOf<OnnxException>()
                .With.Message.Contains("expected inputs x: FLOAT[batch, 3]; got"));
        }

        Assert.That(model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create(new float[6], 2, 3) }),
            Has.Count.EqualTo(1));
    }

    [Test]
    public void Operators_that_are_not_supported_are_listed_before_anything_runs()
    {
        using OnnxModel model = Build.Model(13, Build.Node("ImageDecoder", "x", "y"), Build.Node("NoSuch", "y", "z"))
            .With(["x"], ["z"]).Load();
        Assert.That(model.Unsupported.Select(node => node.Operator), Is.EqualTo(new[] { "ImageDecoder", "NoSuch" }));
        Assert.That(() => model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = OnnxTensor.Create([1f], 1) }),
            Throws.TypeOf<OnnxException>().With.Message.Contains("NoSuch (opset 13"));
    }
}
