using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Attention as exporters write it: what is found runs as one operator, which never has all scores at once.</summary>
public sealed class AttentionFusionTests
{
    private const int Heads = 4, Width = 3, All = Heads * Width;

    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(1);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    private static TensorDef Longs(string name, params long[] values) => Build.Tensor(name, values, values.Length);

    private static AttributeDef One(string name) =>
        new() { Name = name, Kind = AttributeKind.Tensor, Tensor = Build.Tensor("", [1L], 1) };

    private static TensorDef Bools(string name, Func<int, int, bool> isTrue, int extent) =>
        Build.Tensor(name, OnnxElementType.Bool, [1, 1, extent, extent],
            [.. Enumerable.Range(0, extent * extent).Select(i => (byte)(isTrue(i / extent, i % extent) ? 1 : 0))]);

    /// <summary>Projections of x [batch, length, 12] to heads q [B, 4, T, 3] and, of so many heads, k and v.</summary>
    private static IEnumerable<NodeDef> Projected(int groups)
    {
        yield return Build.Node("Shape", "x", "shape");
        yield return Build.Node("Gather", "shape zero", "batch");
        yield return Build.Node("Gather", "shape one", "length");
        yield return Build.Node("Unsqueeze", "batch first", "b1");
        yield return Build.Node("Unsqueeze", "length first", "t1");
        foreach (string name in new[] { "q", "k", "v" })
        {
            string heads = name == "q" || groups == Heads ? "heads" : "groups";
            yield return Build.Node("Concat", $"b1 t1 {heads} width", $"view{name}", Build.Int("axis", 0));
            yield return Build.Node("MatMul", $"x w{name}", $"{name}0");
            yield return Build.Node("Reshape", $"{name}0 view{name}", $"{name}1");
            yield return Build.Node("Transpose", $"{name}1", name, Build.Ints("perm", 0, 2, 1, 3));
        }
    }

    private static IEnumerable<NodeDef> Joined(string output)
    {
        yield return Build.Node("Transpose", output, "joined", Build.Ints("perm", 0, 2, 1, 3));
        yield return Build.Node("Concat", "b1 t1 all", "flat", Build.Int("axis", 0));
        yield return Build.Node("Reshape", "joined flat", "y");
    }

    private static ModelDef Model(int groups, IEnumerable<NodeDef> nodes, string output, params TensorDef[] constants) =>
        Build.Model(18, [.. Projected(groups), .. nodes, .. Joined(output)])
            .With(["x", "padding"], ["y"]).Typed("x", -1, -1, All).Typed("padding", -1, 1, 1, -1)
            .With(
                Build.Tensor("zero", [0L]), Build.Tensor("one", [1L]), Longs("first", 0), Longs("second", 1), Longs("third", 2),
                Longs("fourth", 3), Longs("heads", Heads), Longs("groups", groups), Longs("width", Width), Longs("all", All),
                Longs("end", long.MaxValue), Longs("last", -1), PassHarness.Number("none", 0),
                PassHarness.Number("low", float.MinValue), PassHarness.Number("never", float.NegativeInfinity),
                PassHarness.Weights("wq", 1, All, All), PassHarness.Weights("wk", 2, All, groups * Width),
                PassHarness.Weights("wv", 3, All, groups * Width))
            .With(constants);

    /// <summary>One Attention takes the place of the pieces, in a file and on the engine; the outputs stay.</summary>
    private OnnxOptimization Found(ModelDef definition, int length = 7)
    {
        using OnnxModel model = definition.Load();
        OnnxOptimization result = model.Optimize();
        Assert.That(PassHarness.Operators(result).Split(' '), Does.Contain("Attention").And.No.Member("Softmax"));
        float[] padding = new float[2 * length];
        padding[length] = padding[length + 3] = float.MinValue;
        var inputs = new Dictionary<string, OnnxValue>
        {
            ["x"] = Build.Random(4, 2, length, All),
            ["padding"] = OnnxTensor.Create(padding, 2, 1, 1, length),
        };
        float[] wanted = model.Evaluate(inputs)[0].Floats();
        using OnnxModel again = OnnxModel.Load(result.ToBytes());
        Assert.That(again.Evaluate(inputs)[0].Floats(), Is.EqualTo(wanted).Within(1e-5), "behind a file");
        using OnnxSession session = model.Compile(_device);
        Assert.That(session.Run(inputs)[0].Floats(), Is.EqualTo(wanted).Within(1e-5), "on the engine");
        string[] steps = [.. session.Profile(inputs, 1).Rows.Select(row => row.Operator)];
        Assert.That(steps, Does.Contain("ScaledDotProductAttention").And.No.Member("Softmax").And.No.Member("MatMul"));
        return result;
    }

    /// <summary>Hugging Face's GPT: a quotient by the root of the width, a part of a constant triangle that chooses, and a mask
    /// of padding that is added.</summary>
    [TestCase("Sqrt", false)]
    [TestCase("Sqrt", true)]
    [TestCase("Pow", true)]
    public void A_gpt_that_chooses_by_a_triangle_is_found(string root, bool isPadded)
    {
        NodeDef[] nodes =
        [
            Build.Node("Transpose", "k", "kt", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("MatMul", "q kt", "s0"),
            Build.Node("Shape", "v", "vs"), Build.Node("Gather", "vs last", "d0"),
            Build.Node("Cast", "d0", "d1", Build.Int("to", 1)),
            root == "Sqrt" ? Build.Node("Sqrt", "d1", "d2") : Build.Node("Pow", "d1 half", "d2"),
            Build.Node("Div", "s0 d2", "s1"),
            Build.Node("Sub", "length length", "before"), Build.Node("Unsqueeze", "before first", "from"),
            Build.Node("Slice", "triangle from t1 third", "rows"), Build.Node("Slice", "rows first t1 fourth", "seen"),
            Build.Node("Where", "seen s1 low", "s2"),
            isPadded ? Build.Node("Add", "s2 padding", "s3") : Build.Node("Identity", "s2", "s3"),
            Build.Node("Softmax", "s3", "p0", Build.Int("axis", -1)), Build.Node("Cast", "p0", "p1", Build.Int("to", 1)),
            Build.Node("MatMul", "p1 v", "o"),
        ];
        Found(Model(
            Heads, nodes, "o", Bools("triangle", (row, column) => column <= row, 16), PassHarness.Number("half", 0.5f)));
    }

    [Test]
    public void A_filler_may_be_spread_over_a_shape()
    {
        NodeDef[] nodes =
        [
            Build.Node("Transpose", "k", "kt", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("MatMul", "q kt", "s0"),
            Build.Node("Less", "padding none", "hidden"),
            Build.Node("Concat", "b1 second second t1", "spread", Build.Int("axis", 0)),
            Build.Node("Expand", "low spread", "lows"), Build.Node("Where", "hidden lows s0", "s1"),
            Build.Node("Softmax", "s1", "p"), Build.Node("MatMul", "p v", "o"),
        ];
        Found(Model(Heads, nodes, "o"));
    }

    /// <summary>PyTorch's scaled_dot_product_attention: the root of the scale on queries and keys, truth values as 0 and minus
    /// infinity, and 0 for queries that see no key.</summary>
    [TestCase("IsNaN")]
    [TestCase("Not")]
    [TestCase("")]
    public void Weights_that_are_no_number_are_made_0(string guard)
    {
        bool seesNothing = guard.Length > 0;
        NodeDef[] nodes =
        [
            Build.Node("Shape", "q", "qs"), Build.Node("Slice", "qs last end", "d0"),
            Build.Node("Cast", "d0", "d1", Build.Int("to", 1)),
            Build.Node("Sqrt", "d1", "d2"), Build.Node("Div", "unit d2", "scale"), Build.Node("Sqrt", "scale", "root"),
            Build.Node("Transpose", "k", "kt", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("Mul", "q root", "qr"),
            Build.Node("Mul", "kt root", "kr"), Build.Node("MatMul", "qr kr", "s0"),
            Build.Node("Slice", "mask first t1 third", "rows"), Build.Node("Slice", "rows first t1 fourth", "seen"),
            Build.Node("Where", "seen none never", "added"), Build.Node("Add", "s0 added", "s1"),
            Build.Node("Softmax", "s1", "p0"),
            .. guard switch
            {
                "IsNaN" => new[] { Build.Node("IsNaN", "p0", "bad"), Build.Node("Where", "bad none p0", "p") },
                "Not" => [Build.Node("IsNaN", "p0", "bad"), Build.Node("Not", "bad", "good"),
                Build.Node("Where", "good p0 none", "p")],
                _ => [Build.Node("Identity", "p0", "p")],
            },
            Build.Node("MatMul", "p v", "o"),
        ];

        // The third query sees no key.
        Found(Model(Heads, nodes, "o", Build.Tensor("unit", [1f], 1),
            Bools("mask", (row, column) => column <= row && !(seesNothing && row == 2), 16)));
    }

    [Test]
    public void A_guard_that_gives_another_number_stays_in_pieces()
    {
        NodeDef[] nodes =
        [
            Build.Node("Transpose", "k", "kt", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("MatMul", "q kt", "s"),
            Build.Node("Softmax", "s", "p0"), Build.Node("IsNaN", "p0", "bad"), Build.Node("Where", "bad odd p0", "p"),
            Build.Node("MatMul", "p v", "o"),
        ];
        using OnnxModel model = Model(Heads, nodes, "o", PassHarness.Number("odd", 0.5f)).Load();
        Assert.That(PassHarness.Operators(model.Optimize()).Split(' '), Does.Contain("Softmax").And.No.Member("Attention"));
    }

    /// <summary>Heads of keys and values that queries share, repeated as Hugging Face's repeat_kv does, are not.</summary>
    [TestCase(2, false)]
    [TestCase(2, true)]
    [TestCase(1, true)]
    public void Keys_and_values_that_queries_share_are_not_repeated(int groups, bool keepsExtents)
    {
        var nodes = new List<NodeDef>();
        foreach (string name in new[] { "k", "v" })
        {
            nodes.AddRange(
            [
                Build.Node("Unsqueeze", $"{name} third", $"{name}u"),
                Build.Node("Concat", "b1 groups times t1 width", $"{name}s", Build.Int("axis", 0)),
            ]);
            if (keepsExtents)
            {
                nodes.AddRange(
                [
                    Build.Node("ConstantOfShape", "five", $"{name}ones", One("value")),
                    Build.Node("Mul", $"{name}ones last", $"{name}m"),
                    Build.Node("Equal", $"{name}s {name}m", $"{name}e"),
                    Build.Node("Where", $"{name}e {name}ones {name}s", $"{name}w"),
                ]);
            }

            nodes.AddRange(
            [
                Build.Node("Expand", $"{name}u {name}{(keepsExtents ? "w" : "s")}", $"{name}x"),
                Build.Node("Concat", "b1 heads t1 width", $"{name}f", Build.Int("axis", 0)),
                Build.Node("Reshape", $"{name}x {name}f", $"{name}r"),
            ]);
        }

        nodes.AddRange(
        [
            Build.Node("Transpose", "kr", "kt", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("MatMul", "q kt", "s0"),
            Build.Node("Mul", "s0 scale", "s1"), Build.Node("Add", "s1 padding", "s2"), Build.Node("Softmax", "s2", "p"),
            Build.Node("MatMul", "p vr", "o"),
        ]);
        OnnxOptimization result = Found(Model(
            groups, nodes, "o", Longs("times", Heads / groups), Longs("five", 5), PassHarness.Number("scale", 0.4f)));
        Assert.That(PassHarness.Operators(result).Split(' '), Does.Not.Contain("Expand"));
    }

    [Test]
    public void Keys_that_nothing_turns_are_turned()
    {
        NodeDef[] nodes =
        [
            Build.Node("Transpose", "k", "k2", Build.Ints("perm", 0, 1, 3, 2)), Build.Node("Tanh", "k2", "kt"),
            Build.Node("Concat", "b1 heads width t1", "again", Build.Int("axis", 0)), Build.Node("Reshape", "kt again", "kr"),
            Build.Node("MatMul", "q kr", "s"), Build.Node("Softmax", "s", "p"), Build.Node("MatMul", "p v", "o"),
        ];
        Found(Model(Heads, nodes, "o"));
    }
}
