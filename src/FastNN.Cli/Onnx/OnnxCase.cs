using System.Globalization;
using System.Text.Json;
using FastNN.Onnx;
using FastNN.Onnx.Host;
using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Cli.Onnx;

/// <summary>What became of a case.</summary>
/// <param name="Case">Its folder below the one that was asked for, or its file.</param>
/// <param name="Operator">The operator of a model with one node, else what the model is called.</param>
/// <param name="Status">passed, failed or unsupported.</param>
/// <param name="Reason">What was wrong; empty where it passed.</param>
internal sealed record OnnxCaseResult(string Case, string Operator, string Status, string Reason);

/// <summary>Computes a model's outputs.</summary>
internal delegate IReadOnlyList<OnnxValue?> Evaluator(OnnxModel model, Dictionary<string, OnnxValue> inputs);

/// <summary>
/// Cases in the layout of the standard's own suite: a folder with model.onnx and test_data_set_N/{input,output}_K.pb, or a
/// network light_X.onnx with light_X_output_0.pb, whose input counts up from 0 to 1.
/// </summary>
internal sealed record OnnxCase(string Name, string Model, IReadOnlyList<string> DataSets)
{
    // The suite's own tolerances; data.json of a case may say others.
    private static readonly Tolerance Usual = new(1e-3, 1e-7);

    // Cases whose expected numbers are wrong, or stand for a text that the standard has since corrected. They are excused only
    // where they do not pass, so that cases of their names in newer suites count.
    private static readonly Dictionary<string, string> Errata = Named(
    [
        ("the case is wrong: it expects an epsilon of 0.01, which its node does not have (1.16 and 1.17)",
            ["test_adam_multiple"]),
        ("the case is wrong: it counts places behind the padding (1.16 and 1.17)",
            ["test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True"]),
        ("the case is wrong: it wraps around where the standard saturates (1.16 and 1.17)",
        [
            "test_qlinearmatmul_2D_int8_float16",
            "test_qlinearmatmul_2D_int8_float32",
            "test_qlinearmatmul_3D_int8_float16",
            "test_qlinearmatmul_3D_int8_float32",
        ]),
        ("the case is wrong: it cuts where bfloat16 is rounded (1.16 to 1.18)",
        [
            "test_cast_FLOAT_to_BFLOAT16",
            "test_castlike_FLOAT_to_BFLOAT16",
            "test_castlike_FLOAT_to_BFLOAT16_expanded",
        ]),
        ("the case expects rounding errors of 2e-7 where the result is 0, within 1e-7",
            ["test_dft_inverse", "test_dft_inverse_opset19"]),
        ("the case is from before the standard had the mask added behind the soft cap (1.18 to 1.21)",
        [
            "test_attention_3d_with_past_and_present_qk_matmul_bias",
            "test_attention_3d_with_past_and_present_qk_matmul_softcap",
            "test_attention_4d_with_past_and_present_qk_matmul_bias",
            "test_attention_4d_with_past_and_present_qk_matmul_bias_3d_mask",
            "test_attention_4d_with_past_and_present_qk_matmul_bias_3d_mask_causal",
            "test_attention_4d_with_past_and_present_qk_matmul_bias_4d_mask",
            "test_attention_4d_with_past_and_present_qk_matmul_bias_4d_mask_causal",
            "test_attention_4d_with_qk_matmul_bias",
            "test_attention_4d_with_qk_matmul_softcap",
        ]),
        ("the case is wrong: it mixes heads with positions, or repeats shared heads in another order (1.18)",
        [
            "test_attention_3d",
            "test_attention_3d_attn_mask",
            "test_attention_3d_causal",
            "test_attention_3d_diff_heads_sizes",
            "test_attention_3d_diff_heads_sizes_attn_mask",
            "test_attention_3d_diff_heads_sizes_causal",
            "test_attention_3d_diff_heads_sizes_scaled",
            "test_attention_3d_diff_heads_sizes_softcap",
            "test_attention_3d_diff_heads_with_past_and_present",
            "test_attention_3d_gqa",
            "test_attention_3d_gqa_attn_mask",
            "test_attention_3d_gqa_causal",
            "test_attention_3d_gqa_scaled",
            "test_attention_3d_gqa_softcap",
            "test_attention_3d_gqa_with_past_and_present",
            "test_attention_3d_scaled",
            "test_attention_3d_softcap",
            "test_attention_3d_with_past_and_present",
            "test_attention_3d_with_past_and_present_qk_matmul",
            "test_attention_3d_with_past_and_present_qk_matmul_softmax",
            "test_attention_4d_gqa",
            "test_attention_4d_gqa_attn_mask",
            "test_attention_4d_gqa_causal",
            "test_attention_4d_gqa_scaled",
            "test_attention_4d_gqa_softcap",
            "test_attention_4d_gqa_with_past_and_present",
        ]),
        ("the case is wrong: its cosines and sines are as wide as the heads rather than the part that turns (1.18)",
        [
            "test_rotary_embedding_no_position_ids_rotary_dim",
            "test_rotary_embedding_with_interleaved_rotary_dim",
            "test_rotary_embedding_with_rotary_dim",
        ]),
        ("the case is from before the standard said that 0 / 0 is 0 here (1.19 and 1.20)", ["test_l2normalization_axis_0"]),
    ]);

    private static Dictionary<string, string> Named((string Reason, string[] Names)[] groups) => groups
        .SelectMany(group => group.Names.Select(name => (name, group.Reason)))
        .ToDictionary(entry => entry.name, entry => entry.Reason, StringComparer.Ordinal);

    /// <summary>All cases in a folder and those below it, in the order of their names.</summary>
    public static IReadOnlyList<OnnxCase> In(string folder)
    {
        var cases = new List<OnnxCase>();
        foreach (string model in Directory.EnumerateFiles(folder, "*.onnx",
            SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string home = Path.GetDirectoryName(model)!;
            if (Path.GetFileName(model) == "model.onnx")
            {
                string[] sets = Directory.GetDirectories(home, "test_data_set_*");
                Array.Sort(sets, StringComparer.Ordinal);
                cases.Add(new OnnxCase(Path.GetRelativePath(folder, home), model, sets));
            }
            else if (File.Exists(Path.ChangeExtension(model, null) + "_output_0.pb"))
            {
                cases.Add(new OnnxCase(Path.GetRelativePath(folder, model), model, []));
            }
        }

        return cases;
    }

    /// <summary>Runs the case.</summary>
    /// <param name="device">The engine's device, which runs what it can; null for the host alone.</param>
    public OnnxCaseResult Run(Device? device = null) => Run((model, inputs) =>
    {
        if (model.Unsupported.Count > 0)
        {
            throw new NotSupportedException(string.Join(", ", model.Unsupported.Select(node => node.Operator).Distinct()));
        }

        if (device is null)
        {
            return model.Evaluate(inputs);
        }

        using OnnxSession session = model.Compile(device);
        return session.Run(inputs);
    });

    /// <summary>Runs the case in what stands for a runtime; it throws <see cref="NotSupportedException"/> for what it does not
    /// do.</summary>
    public OnnxCaseResult Run(Evaluator evaluate)
    {
        string name = Path.GetFileNameWithoutExtension(Model);
        try
        {
            using OnnxModel model = OnnxModel.Load(Model);
            name = OperatorOf(model);
            if (RandomOperators(model.Definition) is [var random, ..])
            {
                return new OnnxCaseResult(Name, name, "unsupported",
                    $"{random} draws random numbers, which the standard leaves open");
            }

            Tolerance tolerance = Tolerance.Of(Path.GetDirectoryName(Model)!) ?? Usual;
            string? wrong = DataSets.Count == 0 ? RunLight(model, evaluate, tolerance)
                : DataSets.Select(set => RunSet(model, set, evaluate, tolerance)).FirstOrDefault(reason => reason is not null);
            return wrong is null ? new OnnxCaseResult(Name, name, "passed", "") : Failed(name, wrong);
        }
        catch (Exception exception) when (exception is NotSupportedException
            or OnnxException { InnerException: NotSupportedException })
        {
            return new OnnxCaseResult(Name, name, "unsupported", exception.Message);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Failed(name, exception is OnnxException or FileFormatException
                ? exception.Message
                : $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    private OnnxCaseResult Failed(string name, string wrong) =>
        Errata.TryGetValue(Path.GetFileName(Name), out string? erratum)
            ? new OnnxCaseResult(Name, name, "unsupported", erratum)
            : new OnnxCaseResult(Name, name, "failed", wrong);

    // Dropout's draws are settled by its seed.
    private static string[] RandomOperators(ModelDef model) =>
    [
        .. model.Graph!.Nodes.Concat(model.Functions.SelectMany(function => function.Nodes)).Select(node => node.Operator)
            .Where(name => name is "Bernoulli" or "Multinomial" || name.StartsWith("Random", StringComparison.Ordinal)),
    ];

    private static string OperatorOf(OnnxModel model) => model.Definition.Graph!.Nodes is [var only] ? only.Operator
        : model.Definition.Graph!.Name;

    private static string? RunLight(OnnxModel model, Evaluator evaluate, Tolerance tolerance)
    {
        var inputs = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        foreach (OnnxValueInfo input in model.Inputs.Where(input => !input.HasDefault))
        {
            int[] dims = [.. input.Dimensions!.Select(extent => int.Parse(extent, CultureInfo.InvariantCulture))];
            int count = dims.Aggregate(1, (product, extent) => product * extent);
            inputs.Add(input.Name, OnnxTensor.Create([.. Enumerable.Range(0, count).Select(i => (float)((double)i / count))],
                dims));
        }

        string output = Path.ChangeExtension(model.Name, null) + "_output_0.pb";
        return Compare(model.Outputs[0], evaluate(model, inputs)[0],
            ReadValue(output, model.Definition.Graph!.Outputs[0].Type), 0, tolerance);
    }

    private static string? RunSet(OnnxModel model, string folder, Evaluator evaluate, Tolerance tolerance)
    {
        List<ValueDef> given = model.Definition.Graph!.Inputs, wanted = model.Definition.Graph!.Outputs;
        var inputs = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        for (int i = 0; i < given.Count; i++)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"input_{i}.pb"));
            if (File.Exists(path))
            {
                inputs.Add(given[i].Name, ReadValue(path, given[i].Type));
            }
        }

        IReadOnlyList<OnnxValue?> outputs = evaluate(model, inputs);
        for (int i = 0; i < outputs.Count; i++)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"output_{i}.pb"));
            if (File.Exists(path)
                && Compare(model.Outputs[i], outputs[i], ReadValue(path, wanted[i].Type), i, tolerance) is { } wrong)
            {
                return wrong;
            }
        }

        return null;
    }

    private static OnnxValue ReadValue(string path, TypeDef? type)
    {
        using Content content = Content.OfFile(path);
        if (type?.OptionalOf is not null)
        {
            return ModelReader.ReadOptional(content) switch
            {
                TensorDef tensor => new OnnxOptional(TensorDecoder.Decode(tensor, null)),
                List<TensorDef> tensors => new OnnxOptional(new OnnxSequence(tensors.Select(item =>
                    TensorDecoder.Decode(item, null)))),
                _ => new OnnxOptional(null),
            };
        }

        if (type?.SequenceOf is not null)
        {
            return new OnnxSequence(ModelReader.ReadSequence(content).Select(item => TensorDecoder.Decode(item, null)));
        }

        // Older suites write bfloat16 as the integers of its bits.
        OnnxTensor plain = TensorDecoder.Decode(ModelReader.ReadTensor(content), null);
        return type?.Element == OnnxElementType.BFloat16 && plain.ElementType == OnnxElementType.UInt16
            ? new OnnxTensor(OnnxElementType.BFloat16, plain.Dims, plain.Data)
            : plain;
    }

    private static string? Compare(OnnxValueInfo info, OnnxValue? got, OnnxValue wanted, int index, Tolerance tolerance)
    {
        string? wrong = Compare(got, wanted, tolerance);
        return wrong is null ? null : $"output {index} '{info.Name}': {wrong}";
    }

    private static string? Compare(OnnxValue? got, OnnxValue wanted, Tolerance tolerance)
    {
        while (wanted is OnnxOptional { Value: { } held })
        {
            wanted = held;
            got = got is OnnxOptional own ? own.Value : got;
        }

        if (wanted is OnnxOptional)
        {
            return got is null or OnnxOptional { Value: null } ? null : $"expected no value, got {got}";
        }

        if (wanted is OnnxSequence sequence)
        {
            return got is not OnnxSequence own || own.Items.Count != sequence.Items.Count
                ? $"expected {sequence}, got {got?.ToString() ?? "no value"}"
                : own.Items.Zip(sequence.Items, (a, b) => Compare(a, b, tolerance)).FirstOrDefault(reason => reason is not null);
        }

        var right = (OnnxTensor)wanted;
        if (got is not OnnxTensor tensor || tensor.ElementType != right.ElementType
            || !tensor.Dimensions.SequenceEqual(right.Dimensions))
        {
            return $"expected {right}, got {got?.ToString() ?? "no value"}";
        }

        if (right.Data is string[] texts)
        {
            int at = Enumerable.Range(0, texts.Length).FirstOrDefault(i => texts[i] != ((string[])tensor.Data)[i], -1);
            return at < 0 ? null : $"expected '{texts[at]}' at {at}, got '{((string[])tensor.Data)[at]}'";
        }

        double[] a = Numbers.Doubles(tensor), b = Numbers.Doubles(right);
        for (int i = 0; i < a.Length; i++)
        {
            if (!a[i].Equals(b[i]) && !tolerance.Holds(a[i], b[i]))
            {
                return string.Create(CultureInfo.InvariantCulture, $"expected {b[i]} at {i} of {right}, got {a[i]}");
            }
        }

        return null;
    }

    /// <summary>How far a number may be from the one that is expected.</summary>
    private readonly record struct Tolerance(double Relative, double Absolute)
    {
        public bool Holds(double got, double wanted) =>
            got == wanted || Math.Abs(got - wanted) <= Absolute + (Relative * Math.Abs(wanted));

        /// <summary>What a case's own data.json says; null where there is none.</summary>
        public static Tolerance? Of(string folder)
        {
            string path = Path.Combine(folder, "data.json");
            if (!File.Exists(path))
            {
                return null;
            }

            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            double Number(string name, double usual) =>
                json.RootElement.TryGetProperty(name, out JsonElement value) && value.TryGetDouble(out double number)
                    ? number : usual;
            return new Tolerance(Number("rtol", Usual.Relative), Number("atol", Usual.Absolute));
        }
    }
}
