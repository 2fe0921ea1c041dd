using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>
/// Operators of com.microsoft against the standard's operators that say the same, on the host and on the engine.
/// </summary>
public sealed class ContribTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(1);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    private static NodeDef Node(string name, string inputs, string outputs, params AttributeDef[] attributes)
    {
        NodeDef node = Build.Node(name, inputs, outputs, attributes);
        node.Domain = "com.microsoft";
        return node;
    }

    private static TensorDef Weights(string name, int seed, params int[] dims) =>
        Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);

    private static ModelDef Model(NodeDef[] nodes, TensorDef[] constants, string[] inputs, string[] outputs)
    {
        ModelDef model = Build.Model(24, nodes).With(inputs, outputs).With(constants);
        model.Opsets["com.microsoft"] = 1;
        return model;
    }

    /// <summary>Runs a node and what it stands for.</summary>
    private void Same(
        NodeDef node, NodeDef[] meaning, TensorDef[] constants, string[] outputs, bool onEngine,
        params (string Name, OnnxValue Value)[] inputs)
    {
        string[] names = [.. inputs.Select(input => input.Name)];
        using OnnxModel model = Model([node], constants, names, outputs).Load();
        using OnnxModel plain = Model(meaning, constants, names, outputs).Load();
        using OnnxSession session = model.Compile(_device);
        Dictionary<string, OnnxValue> values = inputs.ToDictionary(input => input.Name, input => input.Value);
        IReadOnlyList<OnnxValue?> wanted = plain.Evaluate(values);
        Assert.That(session.HostReason(values), onEngine ? Is.Null : Is.Not.Null);
        foreach (IReadOnlyList<OnnxValue?> got in new[] { model.Evaluate(values), session.Run(values) })
        {
            for (int i = 0; i < outputs.Length; i++)
            {
                var (a, b) = ((OnnxTensor)wanted[i]!, (OnnxTensor)got[i]!);
                Assert.That(b.ToString(), Is.EqualTo(a.ToString()));
                Assert.That(Host.Numbers.Doubles(b), Is.EqualTo(Host.Numbers.Doubles(a)).Within(2e-5));
            }
        }
    }

    [TestCase("FastGelu", "tanh")]
    [TestCase("BiasGelu", "none")]
    public void Gelu_behind_a_bias(string name, string approximate) => Same(
        Node(name, "x b", "y"),
        [Build.Node("Add", "x b", "t"), Build.Node("Gelu", "t", "y", Build.Text("approximate", approximate))],
        [Weights("b", 1, 7)], ["y"], true, ("x", Build.Random(2, 3, 7)));

    [Test]
    public void Gelu_by_a_sigmoid() => Same(
        Node("QuickGelu", "x", "y"), [Build.Node("Swish", "x", "y", Build.Number("alpha", 1.702f))], [], ["y"], true,
        ("x", Build.Random(2, 3, 7)));

    [TestCase(false)]
    [TestCase(true)]
    public void A_sum_and_its_normalization(bool isSimplified)
    {
        string name = isSimplified ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization";
        NodeDef normalization = isSimplified
            ? Build.Node("RMSNormalization", "s g", "y", Build.Number("epsilon", 1e-3f))
            : Build.Node("LayerNormalization", "s g h", "y", Build.Number("epsilon", 1e-3f));
        Same(
            Node(name, isSimplified ? "x z g b" : "x z g h b", "y - - s", Build.Number("epsilon", 1e-3f)),
            [Build.Node("Add", "x z", "t"), Build.Node("Add", "t b", "s"), normalization],
            [Weights("g", 1, 7), Weights("h", 2, 7), Weights("b", 3, 7)], ["y", "s"], true,
            ("x", Build.Random(4, 2, 3, 7)), ("z", Build.Random(5, 2, 3, 7)));
    }

    [Test]
    public void Root_mean_squares_in_the_standards_domain() => Same(
        Build.Node("SimplifiedLayerNormalization", "x g", "y", Build.Int("axis", -1), Build.Number("epsilon", 1e-3f)),
        [Build.Node("RMSNormalization", "x g", "y", Build.Number("epsilon", 1e-3f))], [Weights("g", 1, 7)], ["y"], true,
        ("x", Build.Random(4, 3, 7)));

    [TestCase(0, 0)]
    [TestCase(1, 1)]
    public void Products_of_turned_matrices(long a, long b) => Same(
        Node("FusedMatMul", "x w", "y", Build.Int("transA", a), Build.Int("transB", b), Build.Number("alpha", 0.5f)),
        [
            Build.Node("Transpose", "x", "t", Build.Ints("perm", a == 0 ? [0, 1, 2] : [0, 2, 1])),
            Build.Node("Transpose", "w", "u", Build.Ints("perm", b == 0 ? [0, 1] : [1, 0])),
            Build.Node("MatMul", "t u", "v"), Build.Node("Mul", "v half", "y"),
        ],
        [b == 0 ? Weights("w", 1, 5, 4) : Weights("w", 1, 4, 5), Build.Tensor("half", [0.5f])], ["y"], true,
        ("x", a == 0 ? Build.Random(2, 2, 3, 5) : Build.Random(2, 2, 5, 3)));

    [Test]
    public void A_convolution_with_an_addition_and_an_activation() => Same(
        Node("FusedConv", "x w b z", "y", Build.Ints("pads", 1, 1, 1, 1), Build.Text("activation", "LeakyRelu"),
            Build.Floats("activation_params", 0.1f)),
        [
            Build.Node("Conv", "x w b", "c", Build.Ints("pads", 1, 1, 1, 1)), Build.Node("Add", "c z", "s"),
            Build.Node("LeakyRelu", "s", "y", Build.Number("alpha", 0.1f)),
        ],
        [Weights("w", 1, 4, 3, 3, 3), Weights("b", 2, 4)], ["y"], true,
        ("x", Build.Random(3, 2, 3, 5, 7)), ("z", Build.Random(4, 2, 4, 5, 7)));

    [Test]
    public void Attention_with_its_projection_under_a_mask() => Same(
        Node("Attention", "x w b m", "y", Build.Int("num_heads", 2)),
        [
            Build.Node("MatMul", "x w", "p"), Build.Node("Add", "p b", "q"),
            Build.Node("Split", "q", "a c d", Build.Int("axis", -1), Build.Int("num_outputs", 3)),
            Build.Node("Cast", "m", "n", Build.Int("to", 9)), Build.Node("Unsqueeze", "n axes", "o"),
            Build.Node("Attention", "a c d o", "y", Build.Int("q_num_heads", 2), Build.Int("kv_num_heads", 2)),
        ],
        [Weights("w", 1, 8, 24), Weights("b", 2, 24), Build.Tensor("axes", [1L, 2], 2)], ["y"], true,
        ("x", Build.Random(3, 2, 5, 8)), ("m", OnnxTensor.Create([1, 1, 1, 0, 0, 1, 1, 1, 1, 1], 2, 5)));

    [TestCase(0)]
    [TestCase(3)]
    public void Grouped_queries_with_a_cache_and_rotary_positions(int past)
    {
        int[] places = [.. Enumerable.Range(past, 2)];
        AttributeDef[] heads = [Build.Int("q_num_heads", 4), Build.Int("kv_num_heads", 2), Build.Int("is_causal", 1)];
        Same(
            Node("GroupQueryAttention", "q k v pk pv lengths total cos sin", "y ck cv", Build.Int("num_heads", 4),
                Build.Int("kv_num_heads", 2), Build.Int("do_rotary", 1)),
            [
                Build.Node("RotaryEmbedding", "q cos sin places", "r", Build.Int("num_heads", 4)),
                Build.Node("RotaryEmbedding", "k cos sin places", "s", Build.Int("num_heads", 2)),
                Build.Node("Attention", "r s v - pk pv", "y ck cv", heads),
            ],
            [
                Weights("cos", 1, 9, 3), Weights("sin", 2, 9, 3),
                Build.Tensor("places", [.. places.Concat(places).Select(place => (long)place)], 2, 2),
                Build.Tensor("total", OnnxElementType.Int32, [], [(byte)(past + 2), 0, 0, 0]),
            ],
            ["y", "ck", "cv"], true,
            ("q", Build.Random(3, 2, 2, 24)), ("k", Build.Random(4, 2, 2, 12)), ("v", Build.Random(5, 2, 2, 12)),
            ("pk", Build.Random(6, 2, 2, past, 6)), ("pv", Build.Random(7, 2, 2, past, 6)),
            ("lengths", OnnxTensor.Create([past + 1, past + 1], 2)));
    }

    [TestCase(4, true)]
    [TestCase(4, false)]
    [TestCase(8, true)]
    public void Weights_of_few_bits_in_blocks(int bits, bool hasZeros)
    {
        // Rows of 40 in blocks of 32: the second block is filled up.
        const int n = 3, k = 40, block = 32, blocks = 2;
        var random = new Random(1);
        int each = block * bits / 8, zeroBytes = bits == 4 ? 1 : blocks;
        byte[] packed = new byte[n * blocks * each], zeros = new byte[n * zeroBytes];
        random.NextBytes(packed);
        random.NextBytes(zeros);
        float[] scales = Build.Random(2, n, blocks).Floats(), weights = new float[k * n];
        for (int row = 0; row < n; row++)
        {
            for (int i = 0; i < k; i++)
            {
                int b = i / block, place = i % block;
                int at = (((row * blocks) + b) * each) + (place * bits / 8);
                int value = bits == 8 ? packed[at] : place % 2 == 0 ? packed[at] & 15 : packed[at] >> 4;
                int zero = !hasZeros ? 1 << (bits - 1)
                    : bits == 8 ? zeros[(row * blocks) + b] : b == 0 ? zeros[row] & 15 : zeros[row] >> 4;
                weights[(i * n) + row] = (value - zero) * scales[(row * blocks) + b] * 0.01f;
            }
        }

        Same(
            Node("MatMulNBits", hasZeros ? "x w s z" : "x w s", "y", Build.Int("K", k), Build.Int("N", n),
            Build.Int("bits", bits),
                Build.Int("block_size", block)),
            [Build.Node("MatMul", "x m", "y")],
            [
                Build.Tensor("w", OnnxElementType.UInt8, [n, blocks, each], packed),
                Build.Tensor("s", Array.ConvertAll(scales, scale => scale * 0.01f), n, blocks),
                Build.Tensor("z", OnnxElementType.UInt8, [n * zeroBytes], zeros), Build.Tensor("m", weights, k, n),
            ],
            ["y"], true, ("x", Build.Random(3, 2, k)));
    }

    [Test]
    public void Sums_of_quantized_tensors() => Same(
        Node("QLinearAdd", "x s z y t z u z", "q"),
        [
            Build.Node("DequantizeLinear", "x s z", "a"), Build.Node("DequantizeLinear", "y t z", "b"),
            Build.Node("Add", "a b", "c"), Build.Node("QuantizeLinear", "c u z", "q"),
        ],
        [
            Build.Tensor("s", [0.02f]), Build.Tensor("t", [0.03f]), Build.Tensor("u", [0.04f]),
            Build.Tensor("z", OnnxElementType.UInt8, [], [100]),
        ],
        ["q"], true, ("x", OnnxTensor.Create<byte>([1, 90, 200, 255], 4)), ("y", OnnxTensor.Create<byte>([7, 3, 210, 128], 4)));

    [Test]
    public void A_product_of_quantized_matrices() => Same(
        Node("QGemm", "x s z w t v c u z", "q", Build.Int("transB", 1)),
        [
            Build.Node("DequantizeLinear", "x s z", "a"), Build.Node("DequantizeLinear", "w t v", "b", Build.Int("axis", 0)),
            Build.Node("Mul", "s t", "st"), Build.Node("DequantizeLinear", "c st", "d", Build.Int("axis", 0)),
            Build.Node("Gemm", "a b d", "e", Build.Int("transB", 1)), Build.Node("QuantizeLinear", "e u z", "q"),
        ],
        [
            Build.Tensor("s", [0.02f]), Build.Tensor("z", OnnxElementType.UInt8, [], [100]),
            Build.Tensor("w", OnnxElementType.Int8, [2, 3], [1, 255, 7, 100, 30, 250]), Build.Tensor("t", [0.1f, 0.2f], 2),
            Build.Tensor("v", OnnxElementType.Int8, [2], [0, 0]),
            Build.Tensor("c", OnnxElementType.Int32, [2], [9, 0, 0, 0, 200, 1, 0, 0]), Build.Tensor("u", [0.5f]),
        ],
        ["q"], true, ("x", OnnxTensor.Create<byte>([1, 90, 200, 255, 4, 77], 2, 3)));

    [Test]
    public void Dynamically_quantized_products() => Same(
        Node("DynamicQuantizeMatMul", "x w t v b", "y"),
        [
            Build.Node("DynamicQuantizeLinear", "x", "q s z"), Build.Node("MatMulInteger", "q w z v", "p"),
            Build.Node("Cast", "p", "f", Build.Int("to", 1)), Build.Node("Mul", "s t", "st"), Build.Node("Mul", "f st", "g"),
            Build.Node("Add", "g b", "y"),
        ],
        [
            Build.Tensor("w", OnnxElementType.Int8, [3, 2], [1, 255, 7, 100, 30, 250]), Build.Tensor("t", [0.1f, 0.2f], 2),
            Build.Tensor("v", OnnxElementType.Int8, [2], [1, 254]), Weights("b", 1, 2),
        ],
        ["y"], true, ("x", Build.Random(3, 2, 3)));

    [Test]
    public void Forms_that_are_not_here_are_refused_by_name()
    {
        using OnnxModel model = Model(
            [Node("GroupQueryAttention", "q k v pk pv l t", "y", Build.Int("num_heads", 4), Build.Int("kv_num_heads", 2),
                Build.Int("local_window_size", 8))], [], ["q", "k", "v", "pk", "pv", "l", "t"], ["y"]).Load();
        Assert.That(model.Unsupported.Single().Operator, Is.EqualTo("com.microsoft.GroupQueryAttention"));
    }
}
