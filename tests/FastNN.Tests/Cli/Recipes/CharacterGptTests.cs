using FastNN.Cli.Recipes;

namespace FastNN.Tests.Cli.Recipes;

/// <summary>The language model of text-gpt as a file that needs nothing of the tool.</summary>
internal sealed class CharacterGptTests : FolderFixture
{
    private const int Characters = 31, Context = 17;

    [Test]
    public void The_file_computes_the_same_bits()
    {
        using Device device = Device.Cpu(1);
        var gpt = new CharacterGpt(Characters, Context, width: 24, depth: 2, heads: 3);
        Symbol input = Model.Input("characters", [Dim.Named("T")], DType.Int32);
        var model = new Model(input, gpt.Apply(input));
        model.Build(seed: 3);

        // What begins as zeros would hide whether it was copied.
        foreach ((Parameter parameter, int i) in gpt.Parameters.Select((parameter, i) => (parameter, i)))
        {
            parameter.Write([.. Enumerable.Range(0, (int)parameter.Count).Select(j => MathF.Sin((7 * i) + (0.3f * j)) / 4)]);
        }

        gpt.ToModel().Save(At("model.safetensors"));
        int[] text = [.. Enumerable.Range(0, Context).Select(i => (5 * i) % Characters)];
        Assert.That(Logits(Model.Load(At("model.safetensors")), device, text), Is.EqualTo(Logits(model, device, text)));
    }

    private static float[] Logits(Model model, Device device, int[] text)
    {
        using Session session = model.CreateSession(device);
        var logits = new float[text.Length * Characters];
        using SessionRun run = session.Begin(new Shape(1, text.Length));
        run.Write<int>(0, text);
        run.Compute();
        run.Read<float>(0, logits);
        return logits;
    }
}
