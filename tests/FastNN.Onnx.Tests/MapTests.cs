using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Maps: what scikit-learn's classifiers give, and what vectorizers of dictionaries take.</summary>
public sealed class MapTests
{
    private static ModelDef Model(NodeDef node, ValueDef input, ValueDef output)
    {
        node.Domain = "ai.onnx.ml";
        ModelDef model = Build.Model(17, node);
        model.Opsets["ai.onnx.ml"] = 1;
        model.Graph!.Inputs.Add(input);
        model.Graph.Outputs.Add(output);
        return model;
    }

    private static ValueDef Map(string name, OnnxElementType key, OnnxElementType value, bool isSequence = false)
    {
        var map = new TypeDef { MapKey = key, MapOf = new TypeDef { Element = value } };
        return new ValueDef { Name = name, Type = isSequence ? new TypeDef { SequenceOf = map } : map };
    }

    private static ValueDef Tensor(string name, OnnxElementType type) =>
        new() { Name = name, Type = new TypeDef { Element = type } };

    private static OnnxValue? Run(ModelDef definition, string name, OnnxValue input)
    {
        using OnnxModel model = definition.Load();
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        var inputs = new Dictionary<string, OnnxValue> { [name] = input };
        OnnxValue? evaluated = model.Evaluate(inputs)[0];
        Assert.That(session.Run(inputs)[0]?.ToString(), Is.EqualTo(evaluated?.ToString()));
        return evaluated;
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Scores_become_a_map_for_each_row(bool isText)
    {
        AttributeDef labels = isText ? Build.Texts("classlabels_strings", "a", "b", "c")
            : Build.Ints("classlabels_int64s", 5, 7, 9);
        OnnxElementType key = isText ? OnnxElementType.String : OnnxElementType.Int64;
        ModelDef model = Model(Build.Node("ZipMap", "x", "y", labels), Tensor("x", OnnxElementType.Float32),
            Map("y", key, OnnxElementType.Float32, isSequence: true));
        var rows = (OnnxSequence)Run(model, "x", OnnxTensor.Create([1f, 2, 3, 4, 5, 6], 2, 3))!;
        Assert.That(rows.Items, Has.Count.EqualTo(2));
        var map = (OnnxMap)rows.Items[1];
        Assert.That(map.ToString(), Is.EqualTo($"map from {(isText ? "STRING" : "INT64")} to FLOAT of 3"));
        Assert.That(map.Values.Floats(), Is.EqualTo(new[] { 4f, 5, 6 }));
        Assert.That(map.Keys.Data, Is.EqualTo(isText ? (Array)new[] { "a", "b", "c" } : new[] { 5L, 7, 9 }));
        using OnnxModel loaded = model.Load();
        string type = isText ? "STRING" : "INT64";
        Assert.That(loaded.Outputs[0].ToString(), Is.EqualTo($"y: sequence of map from {type} to FLOAT"));
        Assert.That(() => Run(model, "x", Build.Random(1, 2, 4)),
            Throws.TypeOf<OnnxException>().With.Message.Contains("expected rows of 3 scores, got FLOAT[2, 4]"));
    }

    [Test]
    public void A_vocabulary_orders_a_map()
    {
        var map = new OnnxMap(OnnxTensor.Create(["b", "z", "a"], 3), OnnxTensor.Create([2f, 9, 1], 3));
        ModelDef model = Model(Build.Node("DictVectorizer", "x", "y", Build.Texts("string_vocabulary", "a", "b", "c")),
            Map("x", OnnxElementType.String, OnnxElementType.Float32), Tensor("y", OnnxElementType.Float32));
        var y = (OnnxTensor)Run(model, "x", map)!;
        Assert.That(y.ToString(), Is.EqualTo("FLOAT[1, 3]"));
        Assert.That(y.Floats(), Is.EqualTo(new[] { 1f, 2, 0 }));
        var other = new OnnxMap(OnnxTensor.Create([1L], 1), OnnxTensor.Create([2f], 1));
        Assert.That(() => Run(model, "x", other), Throws.TypeOf<OnnxException>().With.Message.Contains(
            "expected inputs x: map from STRING to FLOAT; got x: map from INT64 to FLOAT of 1"));
    }

    [TestCase("DENSE", new[] { 1f, 2, 9 })]
    [TestCase("SPARSE", new[] { 0f, 1, 0, 2, 0, 9 })]
    public void A_map_becomes_a_row(string form, float[] wanted)
    {
        var map = new OnnxMap(OnnxTensor.Create([3L, 5, 1], 3), OnnxTensor.Create([2f, 9, 1], 3));
        ModelDef model = Model(Build.Node("CastMap", "x", "y", Build.Text("map_form", form), Build.Int("max_map", 6)),
            Map("x", OnnxElementType.Int64, OnnxElementType.Float32), Tensor("y", OnnxElementType.Float32));
        Assert.That(Run(model, "x", map).Floats(), Is.EqualTo(wanted));
    }

    [Test]
    public void A_map_has_as_many_values_as_keys()
    {
        Assert.That(() => new OnnxMap(OnnxTensor.Create([1L, 2], 2), OnnxTensor.Create([1f], 1)),
            Throws.ArgumentException.With.Message.EqualTo(
                "OnnxMap: expected keys STRING[n] or INT64[n] and n values, got INT64[2] and FLOAT[1]."));
        Assert.That(() => new OnnxMap(OnnxTensor.Create([1f], 1), OnnxTensor.Create([1f], 1)), Throws.ArgumentException);
    }
}
