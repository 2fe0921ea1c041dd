using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>What ML.NET's files do with text: hashes, pieces and categories.</summary>
public sealed class TextTests
{
    private static OnnxTensor Run(NodeDef node, OnnxTensor x, string domain = "com.microsoft")
    {
        node.Domain = domain;
        ModelDef definition = Build.Model(12, node).With(["x"], ["y"]);
        definition.Opsets[domain] = 1;
        using OnnxModel model = definition.Load();
        return (OnnxTensor)model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = x })[0]!;
    }

    private static string[] Pieces(OnnxTensor x, string shape, params AttributeDef[] attributes)
    {
        OnnxTensor y = Run(Build.Node("Tokenizer", "x", "y", [.. attributes, Build.Text("pad_value", "#")]), x);
        Assert.That(y.ToString(), Is.EqualTo($"STRING{shape}"));
        return y.Values<string>().ToArray();
    }

    // Known answers of MurmurHash3_x86_32.
    [TestCase("", 0, 0u)]
    [TestCase("", 1, 0x514e28b7u)]
    [TestCase("test", 0, 0xba6bd213u)]
    [TestCase("test", unchecked((int)0x9747b28c), 0x704b81dcu)]
    [TestCase("Hello, world!", 0, 0xc0363e43u)]
    [TestCase("Hello, world!", unchecked((int)0x9747b28c), 0x24884cbau)]
    [TestCase("aaa", unchecked((int)0x9747b28c), 0x283e0130u)]
    [TestCase("ππππππππ", unchecked((int)0x9747b28c), 0xd58063c1u)]
    public void Text_is_hashed(string text, long seed, uint wanted)
    {
        OnnxTensor x = OnnxTensor.Create([text], 1);
        OnnxTensor unsigned = Run(Build.Node("MurmurHash3", "x", "y", Build.Int("seed", seed)), x);
        Assert.That(unsigned.Values<uint>().ToArray(), Is.EqualTo(new[] { wanted }));
        OnnxTensor signed = Run(Build.Node("MurmurHash3", "x", "y", Build.Int("seed", seed), Build.Int("positive", 0)), x);
        Assert.That(signed.Values<int>().ToArray(), Is.EqualTo(new[] { (int)wanted }));
    }

    [Test]
    public void Numbers_are_hashed_by_their_bytes()
    {
        uint test = BitConverter.ToUInt32("test"u8);
        Assert.That(Run(Build.Node("MurmurHash3", "x", "y"), OnnxTensor.Create([test, 0u], 2, 1)).Values<uint>()[0],
            Is.EqualTo(0xba6bd213u));
        Assert.That(Run(Build.Node("MurmurHash3", "x", "y"), OnnxTensor.Create([0L], 1)).Values<uint>()[0],
            Is.EqualTo(0x63852afcu));
        Assert.That(() => Run(Build.Node("MurmurHash3", "x", "y"), OnnxTensor.Create([true], 1)),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected text, or numbers of 32 or 64 bits, got BOOL[1]"));
    }

    [Test]
    public void Text_is_cut_at_separators()
    {
        OnnxTensor x = OnnxTensor.Create(["a,b; c", "", "dd  e", ";"], 2, 2);
        Assert.That(Pieces(x, "[2, 2, 3]", Build.Texts("separators", "[ ,]", ";")),
            Is.EqualTo(new[] { "a", "b", "c", "#", "#", "#", "dd", "e", "#", "#", "#", "#" }));
        Assert.That(Pieces(x, "[2, 2, 1]", Build.Texts("separators", "[ ,]", ";"), Build.Int("mincharnum", 2)),
            Is.EqualTo(new[] { "#", "#", "dd", "#" }));
        Assert.That(Pieces(OnnxTensor.Create(["a b", "c"], 2), "[2, 4]", Build.Texts("separators", " "), Build.Int("mark", 1)),
            Is.EqualTo(new[] { "\u0002", "a", "b", "\u0003", "\u0002", "c", "\u0003", "#" }));
    }

    [Test]
    public void Text_is_cut_into_characters_or_matches()
    {
        Assert.That(Pieces(OnnxTensor.Create(["gr\u00fc\U0001F600", "x"], 2), "[2, 4]", Build.Texts("separators", "")),
            Is.EqualTo(new[] { "g", "r", "\u00fc", "\U0001F600", "x", "#", "#", "#" }));
        Assert.That(Pieces(OnnxTensor.Create(["ab1cd", "7"], 2), "[2, 2]", Build.Text("tokenexp", "[a-z]+")),
            Is.EqualTo(new[] { "ab", "cd", "#", "#" }));
        Assert.That(() => Pieces(OnnxTensor.Create(["a"], 1), "", Build.Text("tokenexp", "[")),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected a pattern in RE2's syntax, got '['"));
        Assert.That(() => Pieces(OnnxTensor.Create(["a"], 1), ""),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected either separators or tokenexp, got neither"));
    }

    [Test]
    public void Categories_become_numbers_and_back()
    {
        AttributeDef[] lists = [Build.Texts("cats_strings", "a", "q"), Build.Ints("cats_int64s", 4, 5)];
        Assert.That(Run(Build.Node("CategoryMapper", "x", "y", [.. lists, Build.Int("default_int64", -3)]),
            OnnxTensor.Create(["q", "z"], 2), "ai.onnx.ml").Values<long>().ToArray(), Is.EqualTo(new[] { 5L, -3 }));
        Assert.That(Run(Build.Node("CategoryMapper", "x", "y", [.. lists, Build.Text("default_string", "?")]),
            OnnxTensor.Create([4L, 6], 2), "ai.onnx.ml").Values<string>().ToArray(), Is.EqualTo(new[] { "a", "?" }));
    }

    [TestCase(0, "FLOAT[1, 3, 7]")]
    [TestCase(-1, "FLOAT[3, 7, 1]")]
    public void An_axis_is_added(int axis, string wanted)
    {
        NodeDef node = Build.Node("ExpandDims", "x axis", "y");
        node.Domain = "com.microsoft";
        ModelDef definition = Build.Model(12, node).With(["x"], ["y"]).With(
            Build.Tensor("axis", OnnxElementType.Int32, [], BitConverter.GetBytes(axis)));
        definition.Opsets["com.microsoft"] = 1;
        using OnnxModel model = definition.Load();
        Assert.That(model.Evaluate(new Dictionary<string, OnnxValue> { ["x"] = Build.Random(1, 3, 7) })[0]!.ToString(),
            Is.EqualTo(wanted));
    }
}
