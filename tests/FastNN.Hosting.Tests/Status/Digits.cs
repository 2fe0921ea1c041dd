using FastNN.Data;

namespace FastNN.Hosting.Tests.StatusPages;

/// <summary>Digits of 5 by 7 dots somewhere on 12 by 12 pixels, and a small network that learns them in a second.</summary>
internal static class Digits
{
    public const int Size = 12;

    private const int Width = 5, Height = 7;

    // Rows from the top, the highest of 5 bits on the left.
    private static readonly byte[][] Dots =
    [
        [14, 17, 19, 21, 25, 17, 14], [4, 12, 4, 4, 4, 4, 14], [14, 17, 1, 2, 4, 8, 31], [31, 2, 4, 2, 1, 17, 14],
        [2, 6, 10, 18, 31, 2, 2], [31, 16, 30, 1, 1, 17, 14], [6, 8, 16, 30, 17, 17, 14], [31, 1, 2, 4, 8, 8, 8],
        [14, 17, 17, 14, 17, 17, 14], [14, 17, 17, 15, 1, 2, 12],
    ];

    public static IReadOnlyList<string> Names { get; } =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    /// <summary>A digit, white on black.</summary>
    public static byte[] Draw(int digit, int left, int top)
    {
        var pixels = new byte[Size * Size];
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                if ((Dots[digit][y] >> (Width - 1 - x) & 1) != 0)
                {
                    pixels[((top + y) * Size) + left + x] = 255;
                }
            }
        }

        return pixels;
    }

    /// <summary>All digits in all places, with noise.</summary>
    public static Dataset Examples(int seed = 1)
    {
        var random = new Random(seed);
        List<float> features = [];
        List<int> labels = [];
        for (int digit = 0; digit < Dots.Length; digit++)
        {
            for (int left = 0; left <= Size - Width; left++)
            {
                for (int top = 0; top <= Size - Height; top++)
                {
                    features.AddRange(Draw(digit, left, top).Select(
                        pixel => (pixel / 255f) + (0.1f * (random.NextSingle() - 0.5f))));
                    labels.Add(digit);
                }
            }
        }

        return Dataset.FromFloats([.. features], [Size, Size, 1], [.. labels], Names.Count, Names);
    }

    /// <summary>A network that has learned them.</summary>
    public static Sequential Train()
    {
        var model = new Sequential(
            new Conv2D(8, 3, Activation.ReLU), new Conv2D(16, 3, Activation.ReLU), new MaxPool2D(2), new Flatten(),
            new Dense(Names.Count));
        using Device device = Device.Cpu(1);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.005f), seed: 1);
        trainer.Fit(Examples(), epochs: 15, batchSize: 32);
        return model;
    }
}
