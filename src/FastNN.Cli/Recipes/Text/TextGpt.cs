using System.Diagnostics;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>A language model of characters, trained on speeches, and held against an n-gram model.</summary>
internal sealed class TextGpt : ScriptedRecipe
{
    private const int GramLength = 5, Batch = 16, SampleLength = 600, HeldOut = 20_000;

    public override string Name => "text-gpt";

    public override string Network =>
        "GPT of characters: 4 blocks of width 192, 6 heads, rotary positions, context 128; 1.8 million parameters";

    public override string DataDescription =>
        "State of the Union addresses 1790 to 2021, 10.8 million characters; of 20 speeches one for validation and one for the test, of each its first 20,000";

    public override string TrainingDescription =>
        "Muon 0.03 for the blocks' matrices, AdamW 3e-3 for the others, both to 0, 1,200 batches of 16 windows of 128 characters";

    public override Goal Goal => new("validation bits per character", 1.75, AtMost: true);

    public override Goal QuickGoal => new("bits per character that the network saves of a unigram model's", 1.2);

    public override IReadOnlyList<string> Files => ["model.safetensors", "characters.txt", "sample.txt"];

    public override double Run(ScriptRun run)
    {
        string[] texts = [.. StateOfTheUnion.Load(run.Data, run.Say, run.Cancellation).Select(speech => speech.Text + "\n")];
        string[] training = [.. texts.Where((_, i) => i % 20 is not 9 and not 19 && (!run.Quick || i % 5 == 0))];
        CharacterVocabulary vocabulary = CharacterVocabulary.Of(training);
        int[] Held(int place) =>
            [.. texts.Where((_, i) => i % 20 == place).SelectMany(text => vocabulary.Encode(text).Take(run.Pick(HeldOut, 2000)))];
        int[] train = [.. training.SelectMany(vocabulary.Encode)], validation = Held(9);
        int context = run.Pick(128, 32), steps = run.Pick(1200, 200);
        var gpt = run.Quick
            ? new CharacterGpt(vocabulary.Count, context, width: 64, depth: 2, heads: 2)
            : new CharacterGpt(vocabulary.Count, context, width: 192, depth: 4, heads: 6);
        Symbol characters = Model.Input("characters", [Dim.Named("T")], DType.Int32);
        var model = new Model(characters, gpt.Apply(characters));
        model.Build(run.Seed);
        double bits;
        using (var weights = new DeviceWeights(run.Device, model))
        using (TrainingStep step = Record(weights, model, gpt, context, steps, run.Seed))
        {
            Train(run, step, train, context, steps);
            bits = Measure(step, validation, context);
            if (!run.Quick)
            {
                run.Figure("test bits per character", Measure(step, Held(19), context));
            }
        }

        run.Keep("model.safetensors", gpt.ToModel());
        run.Keep("characters.txt", vocabulary.Characters);
        Generate(run, model, vocabulary, context);
        if (run.Quick)
        {
            run.Figure("bits per character", bits);
            return new KneserNeyModel(1, vocabulary.Count, train).BitsPerSymbol(validation, first: 1) - bits;
        }

        double grams = new KneserNeyModel(GramLength, vocabulary.Count, train).BitsPerSymbol(validation, first: 1);
        run.Figure($"bits per character of a {GramLength}-gram model", grams);
        run.Require(new Goal($"bits per character that the network saves of the {GramLength}-gram model's", 0), grams - bits);
        return bits;
    }

    private static TrainingStep Record(DeviceWeights weights, Model model, CharacterGpt gpt, int context, int steps, ulong seed)
    {
        Schedule Rate(float rate) => Schedule.Warmup(steps / 20).Then(Schedule.Linear(rate, steps - (steps / 20), rate / 50));
        var matrices = new Muon(0.03f, weightDecay: 0) { Schedule = Rate(0.03f) };
        var others = new AdamW(3e-3f, beta2: 0.95f, weightDecay: 0) { Schedule = Rate(3e-3f) };
        return new TrainingStep(
            weights,
            step => step.Loss(
                "loss",
                Loss.SparseCrossEntropy.Apply(
                    model.Apply(step.Input("x", [Dim.Batch, context], DType.Int32)),
                    step.Input("next", [Dim.Batch, context], DType.Int32))),
            [(matrices, gpt.Matrices), (others, [.. model.Parameters.Except(gpt.Matrices)])], seed);
    }

    private static void Train(ScriptRun run, TrainingStep step, int[] text, int context, int steps)
    {
        var random = new Random((int)run.Seed);
        int[] x = new int[Batch * context], next = new int[Batch * context];
        using ScriptPhase phase = run.Begin("training", steps);
        for (int i = 0; i < steps; i++)
        {
            for (int row = 0; row < Batch; row++)
            {
                int first = random.Next(text.Length - context);
                text.AsSpan(first, context).CopyTo(x.AsSpan(row * context));
                text.AsSpan(first + 1, context).CopyTo(next.AsSpan(row * context));
            }

            phase.Step(Run(step, x, next, context, step.Run));
        }

        run.Figure("characters per second in training", (double)steps * Batch * context / phase.Seconds);
    }

    /// <summary>
    /// Bits per character of a text, of which windows that overlap by half are read; in all but the first only the later half
    /// counts, so that every character has at least half a window before it.
    /// </summary>
    private static double Measure(TrainingStep step, int[] text, int context)
    {
        const int ignored = -100;
        int half = context / 2;
        int[] x = new int[Batch * context], next = new int[Batch * context];
        double nats = 0;
        int counted = 0, first = 0;
        while (first + half < text.Length - 1 || first == 0)
        {
            x.AsSpan().Clear();
            next.AsSpan().Fill(ignored);
            int here = 0;
            for (int row = 0; row < Batch && (first + half < text.Length - 1 || first == 0); row++)
            {
                for (int i = 0; i < context && first + i + 1 < text.Length; i++)
                {
                    x[(row * context) + i] = text[first + i];
                    if (first == 0 || i >= half)
                    {
                        next[(row * context) + i] = text[first + i + 1];
                        here++;
                    }
                }

                first += half;
            }

            nats += (double)here * Run(step, x, next, context, step.Forward);
            counted += here;
        }

        return nats / counted / Math.Log(2);
    }

    private static float Run(TrainingStep step, int[] x, int[] next, int context, Func<float> pass)
    {
        step.Begin([Batch, context], [Batch, context]);
        step.Write("x", x);
        step.Write("next", next);
        return pass();
    }

    private static void Generate(ScriptRun run, Model model, CharacterVocabulary vocabulary, int context)
    {
        using Decoder decoder = model.CreateDecoder(run.Device, context);
        var sampler = new TokenSampler(run.Seed) { Temperature = 0.8f, TopK = 40, TopP = 0.95f };
        int[] prompt = vocabulary.Encode("Fellow-Citizens of the Senate");
        var drawn = new int[SampleLength];
        for (int i = 0; i < 2; i++)
        {
            // The second time everything has been planned.
            decoder.Rewind();
            decoder.Append(prompt);
            long bytes = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            decoder.Generate(sampler, drawn);
            if (i == 1)
            {
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                double perToken = (double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / drawn.Length;
                run.Figure("characters per second in generation", drawn.Length / seconds);
                run.Require(new Goal("bytes allocated per character", 0, AtMost: true), perToken);
            }
        }

        string sample = vocabulary.Decode(prompt) + vocabulary.Decode(drawn);
        run.Say(sample);
        run.Keep("sample.txt", sample);
    }
}
