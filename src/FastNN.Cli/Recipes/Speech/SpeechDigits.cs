using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>Spoken digits in five languages, learned from synthetic voices and tested on other ones, and on people's.</summary>
internal sealed class SpeechDigits : ScriptedRecipe
{
    private const int Classes = 10, Batch = 32, Mels = 40, Seconds = 1;

    public override string Name => "speech-digits";

    public override string Network =>
        "log mel spectrogram of 98 x 40; Conv 3x3 with batch norm and max pooling, 16, 32 and 64 channels; GRU 64 both ways, Dense 10";

    public override string DataDescription =>
        "digits in English, French, Spanish, Italian and Russian: synthetic speech of 46 voices to train and 16 others to test, 5 real voices";

    public override string TrainingDescription =>
        "sparse cross-entropy, AdamW with one cycle up to 3e-3, batch 32, 20 epochs; shifts, masks (SpecAugment), noise";

    public override Goal Goal => new("test accuracy on held-out voices", 0.95);

    public override Goal QuickGoal => new("test accuracy on held-out voices", 0.80);

    public override IReadOnlyList<string> Files => ["model.safetensors", "spectrograms.png"];

    public override double Run(ScriptRun run)
    {
        IReadOnlyList<SpokenDigit> all = SpokenDigits.Load(run.Data, run.Say, run.Cancellation);
        SpokenDigit[] heldOut = [.. all.Where(SpokenDigits.IsHeldOut)], known = [.. all.Except(heldOut)];
        if (run.Quick)
        {
            known = [.. English(known)];
            heldOut = [.. English(heldOut)];
        }

        Dataset train = ToDataset(known), test = ToDataset(heldOut);
        Sequential model = CreateModel();
        int epochs = run.Pick(20, 6);
        var optimizer = new AdamW(3e-3f) { Schedule = Schedule.OneCycle(3e-3f, epochs * (train.Count / Batch)) };
        var change = new Compose(
            new TimeShift(8), new RandomApply(new GaussianNoise(sigma: 0.2) { Clip = false }, 0.5), new TimeMask(10),
            new FrequencyMask(6));
        using var trainer = new Trainer(model, run.Device, Loss.SparseCrossEntropy, optimizer, run.Seed);
        trainer.Fit(
            train, epochs, Batch, callbacks: run.Watch("training", epochs, lines: false), transform: run.Quick ? null : change,
            cancellationToken: run.Cancellation);
        double Accuracy(Dataset data) => trainer.Evaluate(data, cancellationToken: run.Cancellation).Accuracy!.Value;
        if (!run.Quick)
        {
            Report(run, heldOut, Accuracy);
        }

        double accuracy = Accuracy(test);
        run.Keep("model.safetensors", model, train);
        return accuracy;
    }

    private static IEnumerable<SpokenDigit> English(IEnumerable<SpokenDigit> digits) =>
        digits.Where(one => one.Language == "en");

    private static Sequential CreateModel() => new(
        new Conv2D(16, 3) { Padding = Padding2D.Same, UseBias = false }, new BatchNorm2D(), new ActivationLayer(Activation.ReLU),
        new MaxPool2D(2),
        new Conv2D(32, 3) { Padding = Padding2D.Same, UseBias = false }, new BatchNorm2D(), new ActivationLayer(Activation.ReLU),
        new MaxPool2D(2),
        new Conv2D(64, 3) { Padding = Padding2D.Same, UseBias = false }, new BatchNorm2D(), new ActivationLayer(Activation.ReLU),
        new MaxPool2D(2),
        new Reshape([12, 5 * 64]), new Gru(64) { IsBidirectional = true, ReturnSequences = false }, new Dropout(0.3f),
        new Dense(Classes));

    /// <summary>Accuracies by language, those on people's voices, and a picture of both kinds.</summary>
    private static void Report(ScriptRun run, SpokenDigit[] heldOut, Func<Dataset, double> accuracy)
    {
        IReadOnlyList<SpokenDigit> people = AsteriskDigits.Load(progress: run.Say, cancellationToken: run.Cancellation);
        foreach (IGrouping<string, SpokenDigit> language in people.GroupBy(one => one.Language))
        {
            run.Figure(
                $"accuracy on held-out voices, {language.Key}",
                accuracy(ToDataset([.. heldOut.Where(one => one.Language == language.Key)])));
            run.Figure($"accuracy on the person, {language.Key}", accuracy(ToDataset([.. language])));
        }

        run.Figure("accuracy on all people", accuracy(ToDataset([.. people])));
        SpokenDigit[] shown = [.. English(heldOut).Take(10), .. English(people)];
        run.Keep("spectrograms.png", stream => Draw(stream, ToDataset(shown)));
    }

    /// <summary>Spectrograms of the second of each recording that has the most energy, [frames, mels, 1].</summary>
    private static Dataset ToDataset(SpokenDigit[] recordings)
    {
        int rate = recordings[0].Sound.SampleRate, length = Seconds * rate;

        // Loudness is 1 at its peak, and the offset about 50 dB below: what is fainter is a line's noise, or its absence.
        var mel = new MelSpectrogram(rate) { Mels = Mels, LowHertz = 100, LogOffset = 0.05 };
        int size = mel.FramesOf(length) * Mels;
        var features = new float[recordings.Length * size];
        for (int i = 0; i < recordings.Length; i++)
        {
            Span<float> spectrogram = features.AsSpan(i * size, size);
            mel.Compute(Loudest(recordings[i].Sound.Read(), length), spectrogram);
            Normalize(spectrogram);
        }

        return Dataset.FromFloats(
            features, [mel.FramesOf(length), Mels, 1], [.. recordings.Select(one => one.Digit)], Classes);
    }

    private static float[] Loudest(float[] sound, int length)
    {
        double energy = 0, most = -1;
        int first = 0;
        for (int i = 0; i < sound.Length; i++)
        {
            energy += (double)sound[i] * sound[i];
            energy -= i >= length ? (double)sound[i - length] * sound[i - length] : 0;
            if (energy > most && i >= length - 1)
            {
                (most, first) = (energy, i - length + 1);
            }
        }

        var result = new float[length];
        Span<float> piece = sound.AsSpan(first, Math.Min(length, sound.Length));
        float peak = Math.Abs(TensorPrimitives.MaxMagnitude<float>(piece));
        TensorPrimitives.Divide(piece, Math.Max(peak, 1e-3f), piece);
        piece.CopyTo(result.AsSpan((length - piece.Length) / 2));
        return result;
    }

    private static void Normalize(Span<float> values)
    {
        float mean = TensorPrimitives.Average<float>(values);
        TensorPrimitives.Subtract(values, mean, values);
        TensorPrimitives.Divide(values, MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(values) / values.Length) + 1e-3f, values);
    }

    /// <summary>Time runs to the right and frequency up: synthetic digits above, a person's below.</summary>
    private static void Draw(Stream stream, Dataset digits)
    {
        int frames = digits.ExampleShape[0];
        var row = new float[digits.ExampleSize];
        var images = new float[digits.Count * row.Length];
        for (int i = 0; i < digits.Count; i++)
        {
            digits.CopyFeatures(i, row);
            for (int at = 0; at < row.Length; at++)
            {
                images[(i * row.Length) + ((Mels - 1 - (at % Mels)) * frames) + (at / Mels)] = row[at];
            }
        }

        stream.Write(new ImageGrid { Columns = 10, Low = null, High = null }.Encode(images, [digits.Count, Mels, frames]));
    }
}
