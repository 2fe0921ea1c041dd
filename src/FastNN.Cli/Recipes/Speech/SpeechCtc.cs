using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Speech to phonemes: convolutions over mel spectrograms, trained on sequences without their alignment by connectionist temporal
/// classification (Graves et al., 2006), decoded greedily and by a search over prefixes.
/// </summary>
internal sealed class SpeechCtc : ScriptedRecipe
{
    private const int Mels = 40, Width = 128, Blocks = 6, Kernel = 5, Stride = 3, Batch = 8, GramLength = 4;

    // Lengths are filled up to multiples of this many frames, so that few different ones have to be planned.
    private const int Unit = 240;

    // Classes with a probability below one in ten thousand make no new hypotheses.
    private const float Cutoff = -9.2f;

    public override string Name => "speech-ctc";

    public override string Network =>
        "40 log mels each 10 ms; Conv1D 128 with stride 3, six residual Conv1D 128 of 5 taps with batch norm, Dense 51: 50 phonemes and a blank";

    public override string DataDescription =>
        "festvox-ru, 620 Russian sentences of one speaker, 1.66 hours; of ten sentences eight to train, one to validate, one to test";

    public override string TrainingDescription =>
        "CTC, AdamW with one cycle up to 4e-3, batches of 8 sentences of like length, 10 epochs; masks (SpecAugment)";

    public override Goal Goal => new("phoneme error rate", 0.25, AtMost: true);

    public override Goal QuickGoal => new("loss per phoneme over the entropy of phonemes", 0.85, AtMost: true);

    public override IReadOnlyList<string> Files => ["model.safetensors", "transcripts.txt", "alignment.png"];

    public override double Run(ScriptRun run)
    {
        IReadOnlyList<SpokenSentence> sentences = FestvoxRu.Load(run.Data, run.Say, run.Cancellation);
        string[] symbols = [.. sentences.SelectMany(Spoken).Distinct().Order(StringComparer.Ordinal)];
        sentences = run.Quick ? [.. sentences.Where(one => one.Sound.Length < 6 * one.Sound.SampleRate).Take(16)] : sentences;
        Utterance[] all = [.. sentences.Select(one => Utterance.Of(one, symbols))];
        Utterance[] train = [.. all.Where((_, i) => run.Quick || i % 10 < 8)];
        Model model = CreateModel(1 + symbols.Length);
        model.Build(run.Seed);
        int epochs = run.Pick(10, 30);
        using var weights = new DeviceWeights(run.Device, model);
        int steps = epochs * Batches(train, new Random(0)).Count();
        var optimizer = new AdamW(4e-3f, weightDecay: 0.01f) { Schedule = Schedule.OneCycle(4e-3f, steps), ClipNorm = 1 };
        using var step = new TrainingStep(weights, s => Record(s, model), [(optimizer, model.Parameters)], run.Seed);
        float[] losses = Train(run, step, train, epochs, steps);
        run.Keep("model.safetensors", model);
        if (run.Quick)
        {
            // Without the sound, the phonemes' frequencies are all that can be known of them.
            var frequencies = new KneserNeyModel(1, 1 + symbols.Length, train.Select(one => one.Labels));
            return losses[^4..].Average() / (frequencies.BitsPerSymbol([.. train.SelectMany(one => one.Labels)]) * Math.Log(2));
        }

        using Session session = weights.CreateSession(model);
        return Recognize(run, session, all, train, symbols);
    }

    /// <summary>Phonemes without pauses.</summary>
    private static IEnumerable<string> Spoken(SpokenSentence sentence) =>
        sentence.Phonemes.Select(phoneme => phoneme.Symbol).Where(symbol => symbol != "pau");

    private static Model CreateModel(int classes)
    {
        Symbol features = Model.Input("features", [Dim.Named("T"), Mels]);
        Symbol x = Convolution(features, 1, Stride, "stem");
        for (int i = 0; i < Blocks; i++)
        {
            x += new Dropout(0.15f) { Name = $"drop{i}" }.Apply(Convolution(x, 1 + (i % 3), 1, $"block{i}"));
        }

        return new Model(features, new Dense(classes) { Name = "classes" }.Apply(x));
    }

    private static Symbol Convolution(Symbol x, int dilation, int stride, string name)
    {
        var filter = new Conv1D(Width, Kernel)
        {
            Name = name,
            Stride = stride,
            Dilation = dilation,
            Padding = Kernel / 2 * dilation,
            UseBias = false,
            WeightInitializer = Initializer.HeNormal,
        };
        return new ActivationLayer(Activation.ReLU).Apply(new BatchNorm1D { Name = $"{name}_norm" }.Apply(filter.Apply(x)));
    }

    private static void Record(StepBuilder s, Layer model)
    {
        Value features = s.Input("features", [Dim.Batch, Dim.Named("T"), Mels]);
        Value labels = s.Input("labels", [Dim.Batch, Dim.Named("S")], DType.Int32);
        Value steps = s.Input("steps", [Dim.Batch], DType.Int32), lengths = s.Input("lengths", [Dim.Batch], DType.Int32);
        s.Loss("ctc", model.Apply(features).LogSoftmax().Permute(1, 0, 2).CtcLoss(labels, steps, lengths, zeroInfinity: true));
    }

    private static float[] Train(ScriptRun run, TrainingStep step, Utterance[] train, int epochs, int steps)
    {
        var random = new Random((int)run.Seed);
        var mask = new Compose(new TimeMask(10) { Count = 3 }, new FrequencyMask(6) { Count = 2 });
        var losses = new List<float>();
        using ScriptPhase phase = run.Begin("training", steps);
        for (int epoch = 1; epoch <= epochs; epoch++)
        {
            foreach (int[] batch in Batches(train, random).OrderBy(_ => random.Next()).ToArray())
            {
                Utterance[] utterances = [.. batch.Select(i => train[i])];
                int frames = utterances.Max(one => one.Padded);
                int longest = (utterances.Max(one => one.Labels.Length) + 15) / 16 * 16;
                var features = new float[Batch * frames * Mels];
                var labels = new int[Batch * longest];
                for (int i = 0; i < Batch; i++)
                {
                    Span<float> place = features.AsSpan(i * frames * Mels, frames * Mels);
                    utterances[i].CopyTo(place);
                    if (!run.Quick)
                    {
                        mask.Apply(place, [frames, Mels, 1], place, run.Seed, epoch, batch[i]);
                    }

                    utterances[i].Labels.CopyTo(labels, i * longest);
                }

                step.Begin([Batch, frames, Mels], [Batch, longest], [Batch], [Batch]);
                step.Write("features", features);
                step.Write("labels", labels);
                step.Write("steps", Array.ConvertAll(utterances, one => one.Steps));
                step.Write("lengths", Array.ConvertAll(utterances, one => one.Labels.Length));
                losses.Add(step.Run());
                phase.Step(losses[^1]);
            }
        }

        return [.. losses];
    }

    /// <summary>Batches of like length, drawn anew; what is left of one length goes with the next.</summary>
    private static IEnumerable<int[]> Batches(Utterance[] train, Random random)
    {
        var waiting = new List<int>();
        var byLength = Enumerable.Range(0, train.Length).GroupBy(i => train[i].Padded).OrderBy(one => one.Key);
        foreach (IGrouping<int, int> group in byLength)
        {
            waiting.AddRange(group.OrderBy(_ => random.Next()));
            for (; waiting.Count >= Batch; waiting.RemoveRange(0, Batch))
            {
                yield return [.. waiting.Take(Batch)];
            }
        }
    }

    /// <summary>Decodes the sentences held out; gives the error rate of the search with the phonemes' statistics.</summary>
    private static double Recognize(ScriptRun run, Session session, Utterance[] all, Utterance[] train, string[] symbols)
    {
        int classes = 1 + symbols.Length;
        Utterance[] validation = [.. all.Where((_, i) => i % 10 == 8)], test = [.. all.Where((_, i) => i % 10 == 9)];
        float[][] Outputs(Utterance[] some) => [.. some.Select(one => LogProbabilities(session, one, classes))];
        float[][] ofValidation = Outputs(validation), ofTest = Outputs(test);
        var plain = new CtcDecoder(classes) { Cutoff = Cutoff };
        run.Figure("greedy: phoneme error rate", Rate(test, ofTest, one => plain.Greedy(one)));
        run.Figure("beam: phoneme error rate", Rate(test, ofTest, one => Best(plain, one)));

        // The weight of the statistics is what does best on the validation sentences.
        var grams = new KneserNeyModel(GramLength, classes, train.Select(one => one.Labels));
        (CtcDecoder Decoder, double Weight, double Rate) best = (plain, 0, double.PositiveInfinity);
        foreach (double weight in (ReadOnlySpan<double>)[0.2, 0.4, 0.6])
        {
            run.Cancellation.ThrowIfCancellationRequested();
            CtcDecoder decoder = WithGrams(classes, grams, weight);
            double rate = Rate(validation, ofValidation, one => Best(decoder, one));
            run.Say(FormattableString.Invariant($"validation with {GramLength}-grams of weight {weight}: {rate:0.0000}"));
            best = rate < best.Rate ? (decoder, weight, rate) : best;
        }

        run.Figure("weight of the n-grams", best.Weight);
        var texts = new System.Text.StringBuilder();
        double result = Rate(test, ofTest, one => Best(best.Decoder, one), (spoken, heard) => texts.Append(
            $"{Name(spoken)}\n{Name(heard)}\n\n"));
        run.Keep("transcripts.txt", texts.ToString());
        run.Keep("alignment.png", stream => Draw(stream, test[0], ofTest[0], classes));
        return result;

        string Name(int[] labels) => string.Join(' ', labels.Select(label => symbols[label - 1]));
    }

    private static CtcDecoder WithGrams(int classes, KneserNeyModel grams, double weight) => new(classes)
    {
        Cutoff = Cutoff,
        // A bonus for each phoneme takes back what the statistics cost a phoneme on average.
        Score = (before, label) => weight * (Math.Log(grams.Probability(
            [.. before.Skip(before.Count - GramLength + 1)], label)) + 2),
    };

    private static int[] Best(CtcDecoder decoder, ReadOnlySpan<float> outputs) => [.. decoder.Search(outputs)[0].Labels];

    private static double Rate(
        Utterance[] utterances, float[][] outputs, Func<float[], int[]> decode, Action<int[], int[]>? tell = null)
    {
        int edits = 0, length = 0;
        for (int i = 0; i < utterances.Length; i++)
        {
            int[] heard = decode(outputs[i]);
            edits += ErrorRate.EditDistance<int>(utterances[i].Labels, heard);
            length += utterances[i].Labels.Length;
            tell?.Invoke(utterances[i].Labels, heard);
        }

        return (double)edits / length;
    }

    /// <summary>[steps, classes] of an utterance.</summary>
    private static float[] LogProbabilities(Session session, Utterance utterance, int classes)
    {
        var features = new float[utterance.Padded * Mels];
        utterance.CopyTo(features);
        var outputs = new float[utterance.Padded / Stride * classes];
        using (SessionRun pass = session.Begin([1, utterance.Padded, Mels]))
        {
            pass.Write<float>(0, features);
            pass.Compute();
            pass.Read<float>(0, outputs);
        }

        for (int at = 0; at < outputs.Length; at += classes)
        {
            Span<float> row = outputs.AsSpan(at, classes);
            float most = TensorPrimitives.Max<float>(row);
            double sum = 0;
            foreach (float logit in row)
            {
                sum += Math.Exp(logit - most);
            }

            TensorPrimitives.Subtract(row, most + (float)Math.Log(sum), row);
        }

        return outputs[..(utterance.Steps * classes)];
    }

    /// <summary>A spectrogram above, and below when the network names which phoneme; time runs to the right.</summary>
    private static void Draw(Stream stream, Utterance utterance, float[] outputs, int classes)
    {
        int width = utterance.Steps, height = (2 * Mels) + 4 + (2 * classes);
        var features = new float[utterance.Padded * Mels];
        utterance.CopyTo(features);
        var image = new float[height * width];
        for (int x = 0; x < width; x++)
        {
            for (int y = 0; y < 2 * Mels; y++)
            {
                image[(y * width) + x] = 0.5f + (0.25f * features[(x * Stride * Mels) + Mels - 1 - (y / 2)]);
            }

            for (int y = 0; y < 2 * classes; y++)
            {
                // The blank, class 0, is left out: it is what remains.
                image[((y + (2 * Mels) + 4) * width) + x] = y < 2 ? 0 : MathF.Exp(outputs[(x * classes) + (y / 2)]);
            }
        }

        stream.Write(new ImageGrid { Columns = 1 }.Encode(image, [1, height, width]));
    }

    /// <summary>Features of a sentence and its phonemes, from 1 on.</summary>
    private sealed class Utterance
    {
        private readonly float[] _features;

        private Utterance(float[] features, int[] labels) => (_features, Labels) = (features, labels);

        public int[] Labels { get; }

        /// <summary>Frames, with what fills them up.</summary>
        public int Padded => (Frames + Unit - 1) / Unit * Unit;

        /// <summary>Steps of the network's output that hear the sentence.</summary>
        public int Steps => (Frames + Stride - 1) / Stride;

        private int Frames => _features.Length / Mels;

        public static Utterance Of(SpokenSentence sentence, string[] symbols)
        {
            var mel = new MelSpectrogram(sentence.Sound.SampleRate) { Mels = Mels, LowHertz = 60, HighHertz = 7600 };
            float[] features = mel.Compute(sentence.Sound.Read());

            // Each mel has mean 0 and deviation 1 over the sentence.
            for (int i = 0; i < Mels; i++)
            {
                double sum = 0, squares = 0;
                int frames = features.Length / Mels;
                for (int frame = 0; frame < frames; frame++)
                {
                    double value = features[(frame * Mels) + i];
                    (sum, squares) = (sum + value, squares + (value * value));
                }

                double mean = sum / frames, scale = 1 / (Math.Sqrt(Math.Max(0, (squares / frames) - (mean * mean))) + 1e-3);
                for (int frame = 0; frame < frames; frame++)
                {
                    features[(frame * Mels) + i] = (float)((features[(frame * Mels) + i] - mean) * scale);
                }
            }

            int LabelOf(string symbol) => 1 + Array.BinarySearch(symbols, symbol, StringComparer.Ordinal);
            return new Utterance(features, [.. Spoken(sentence).Select(LabelOf)]);
        }

        /// <summary>Copies frames, and repeats the last, a silent one, until the destination is full.</summary>
        public void CopyTo(Span<float> destination)
        {
            _features.CopyTo(destination);
            ReadOnlySpan<float> last = _features.AsSpan(^Mels..);
            for (int at = _features.Length; at < destination.Length; at += Mels)
            {
                last.CopyTo(destination[at..]);
            }
        }
    }
}
