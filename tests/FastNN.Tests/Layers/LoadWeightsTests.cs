using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>Weights of other models: renamed, in part, and with a report of what did not fit.</summary>
internal sealed class LoadWeightsTests : TrainingFixture
{
    [Test]
    public void What_fits_is_loaded_and_the_rest_is_reported()
    {
        var source = new Sequential(new Dense(4) { Name = "a" }, new Dense(5) { Name = "b" }, new Dense(2) { Name = "c" });
        source.Build([3], seed: 1);
        source.Save(PathOf("w.safetensors"));
        var target = new Sequential(new Dense(4) { Name = "a" }, new Dense(6) { Name = "b" }, new Dense(2) { Name = "d" });
        target.Build([3], seed: 2);
        LoadResult result = target.LoadWeights(PathOf("w.safetensors"), new() { Strict = false });
        Assert.Multiple(() =>
        {
            Assert.That(result.Loaded, Is.EqualTo(new[] { "a.weight", "a.bias" }));
            Assert.That(result.WrongShape, Is.EqualTo(new[] { "b.weight", "b.bias" }));
            Assert.That(result.Missing, Is.EqualTo(new[] { "d.weight", "d.bias" }));
            Assert.That(result.Unexpected, Is.EquivalentTo(new[] { "c.weight", "c.bias" }));
            Assert.That(result.ToString(), Is.EqualTo("2 loaded, 2 missing, 2 unexpected, 2 of another shape"));
            Assert.That(Values(target.Parameters[0]), Is.EqualTo(Values(source.Parameters[0])));
        });
    }

    [Test]
    public void Names_are_mapped_and_tensors_left_out()
    {
        var source = new Sequential(
            new Sequential(new Dense(4), new Dense(2)) { Name = "module" }, new Dense(1) { Name = "head" });
        source.Build([3], seed: 1);
        source.Save(PathOf("w.safetensors"));
        var target = new Sequential(new Dense(4), new Dense(2));
        target.Build([3], seed: 2);
        LoadResult result = target.LoadWeights(
            PathOf("w.safetensors"),
            new()
            {
                Rename = name => name.StartsWith("module.", StringComparison.Ordinal)
                ? name["module.".Length..]
                : null,
                Strict = false
            });
        Assert.That(result.Loaded, Has.Count.EqualTo(4));
        Assert.That(target.Parameters.Select(Values), Is.EqualTo(source.Parameters.Take(4).Select(Values)));
        Assert.That(
            () => target.LoadWeights(PathOf("w.safetensors"), new() { Rename = _ => "0.weight" }),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("names differ when they are renamed"));
        Assert.That(() => target.LoadWeights(PathOf("w.safetensors")), Throws.TypeOf<FileFormatException>());
    }

    [Test]
    public void A_shared_layer_is_found_under_any_of_its_names()
    {
        var shared = new Dense(3) { Name = "tied" };
        var model = new Sequential(new Sequential(shared) { Name = "encoder" }, new Sequential(shared) { Name = "decoder" });
        model.Build([3], seed: 1);
        Assert.That(
            model.NamedParameters.Select(named => named.Name), Is.EqualTo(new[] { "encoder.tied.weight", "encoder.tied.bias" }));
        model.Save(PathOf("w.safetensors"));
        LoadResult result = model.LoadWeights(
            PathOf("w.safetensors"), new() { Rename = name => name.Replace("encoder", "decoder", StringComparison.Ordinal) });
        Assert.That(result.Loaded, Is.EquivalentTo(new[] { "encoder.tied.weight", "encoder.tied.bias" }));
    }

    [Test]
    public void Streams_stay_open_and_carry_the_same_bytes_as_files()
    {
        Sequential model = Toy.Built();
        model.SaveWeights(PathOf("w.safetensors"));
        using var stream = new MemoryStream();
        model.SaveWeights(stream);
        Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(PathOf("w.safetensors"))));
        stream.Position = 0;
        Assert.That(model.LoadWeights(stream).Loaded, Has.Count.EqualTo(4));
        Assert.That(stream.CanRead);
    }

    private static float[] Values(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }
}
