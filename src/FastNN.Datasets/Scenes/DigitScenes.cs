using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// Square images with several handwritten digits in clutter, for segmentation and detection: digits of random sizes at random
/// places, none over another, on pieces of other digits (as in the cluttered MNIST of Mnih, Heess, Graves and Kavukcuoglu, 2014).
/// This is generated data. A scene is a function of the seed, the part and its number, and costs no memory until it is made.
/// Any number of threads may make scenes at once.
/// </summary>
public sealed class DigitScenes
{
    private const int DigitSide = 28;
    private const int Attempts = 50;

    // Strokes fade out over a pixel or two; what is darker belongs to the ground.
    private const float Ink = 0.3f;

    private readonly Dataset _digits;
    private readonly uint _part;

    /// <summary>Scenes of given digits.</summary>
    /// <param name="digits">What digits and pieces are taken from, [28, 28, 1] with ten classes: those of <see cref="Mnist"/> to
    /// train on, or those to test on.</param>
    /// <param name="part">A number that sets these scenes apart from others of the same seed: 0 of those to train on, 1 of those
    /// to test on.</param>
    /// <exception cref="ArgumentException">The digits have another shape, or no classes.</exception>
    public DigitScenes(Dataset digits, int part)
    {
        ArgumentNullException.ThrowIfNull(digits);
        ArgumentOutOfRangeException.ThrowIfNegative(part);
        if (!digits.ExampleShape.SequenceEqual([DigitSide, DigitSide, 1]) || !digits.HasLabels)
        {
            throw new ArgumentException(
                $"expected digits of shape [28, 28, 1] with class indices, got examples of shape [{string.Join(", ", digits.ExampleShape.ToArray())}] with {(digits.HasLabels ? "class indices" : "vectors")} as targets",
                nameof(digits));
        }

        (_digits, _part) = (digits, (uint)part);
    }

    /// <summary>Rows and columns of a scene, at least 32; default 48.</summary>
    public int Side
    {
        get;
        init => field = value >= 32
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "expected scenes of at least 32 pixels a side");
    } = 48;

    /// <summary>How many digits a scene has at the least and at the most, 1 to 100; fewer where they find no room. Default 2 and
    /// 3.</summary>
    public (int Least, int Most) Digits { get; init => field = InOrder(value, 1, 100, nameof(Digits)); } = (2, 3);

    /// <summary>Rows and columns that the digits' frames of 28 pixels are resized to, 8 to 32; default 18 to 26.</summary>
    public (int Least, int Most) Sizes { get; init => field = InOrder(value, 8, 32, nameof(Sizes)); } = (18, 26);

    /// <summary>How many pieces of 6x6 to 8x8 pixels of other digits lie about, 0 to 1,000; default 4 to 8.</summary>
    public (int Least, int Most) Clutter { get; init => field = InOrder(value, 0, 1000, nameof(Clutter)); } = (4, 8);

    /// <summary>What everything is drawn from; default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>The classes that the pixels of a scene have: no digit, and the ten digits.</summary>
    public int PixelClasses => _digits.Classes + 1;

    /// <summary>Makes a scene.</summary>
    /// <param name="number">Its number, from 0 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public DigitScene Create(int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        var random = new AugmentationRandom();
        random.Begin(RandomUse.Data, Seed, FirstStream + (int)_part, number);
        var scene = new DigitScene(Side);
        int pieces = Between(random, Clutter), digits = Between(random, Digits);
        Span<float> digit = stackalloc float[DigitSide * DigitSide];
        for (int i = 0; i < pieces; i++)
        {
            _digits.CopyFeatures(random.Below(_digits.Count), digit);
            AddPiece(scene, random, digit);
        }

        for (int i = 0; i < digits; i++)
        {
            int example = random.Below(_digits.Count);
            _digits.CopyFeatures(example, digit);
            AddDigit(scene, random, digit, _digits.LabelOf(example));
        }

        return scene;
    }

    /// <summary>
    /// The first scenes as a dataset for segmentation: features [side, side, 1], and as targets the class of each pixel, one-hot:
    /// [side, side, classes], 0 for no digit, then the digits.
    /// </summary>
    /// <param name="count">How many scenes.</param>
    public Dataset ToSegmentation(int count) => ToDataset(
        count, new Shape(Side, Side, PixelClasses), (scene, target) =>
        {
            target.Clear();
            for (int i = 0; i < scene.PixelClasses.Count; i++)
            {
                target[(i * PixelClasses) + scene.PixelClasses[i]] = 1;
            }
        });

    /// <summary>The first scenes as a dataset with targets of the caller's own making.</summary>
    /// <param name="count">How many scenes.</param>
    /// <param name="targetShape">The shape of one target.</param>
    /// <param name="encode">Writes the target of a scene; every element has to be written, and several threads may call at
    /// once.</param>
    public Dataset ToDataset(int count, Shape targetShape, Action<DigitScene, Span<float>> encode)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentNullException.ThrowIfNull(encode);
        return Dataset.FromSource(new SceneSource(this, count, targetShape, encode));
    }

    // The first streams of generated data are the colors' of ColorMnist.
    private const int FirstStream = 17;

    private static int Between(AugmentationRandom random, (int Least, int Most) range) =>
        range.Least + random.Below(range.Most - range.Least + 1);

    private static void AddPiece(DigitScene scene, AugmentationRandom random, ReadOnlySpan<float> digit)
    {
        // From the middle, where the ink is.
        int side = 6 + random.Below(3), top = 6 + random.Below(16 - side + 1), left = 6 + random.Below(16 - side + 1);
        int y = random.Below(scene.Side - side + 1), x = random.Below(scene.Side - side + 1);
        for (int row = 0; row < side; row++)
        {
            scene.Draw(digit.Slice(((top + row) * DigitSide) + left, side), y + row, x);
        }
    }

    private void AddDigit(DigitScene scene, AugmentationRandom random, ReadOnlySpan<float> digit, int label)
    {
        int size = Between(random, Sizes);
        var pixels = new float[size * size];
        new Resize(size).Apply(digit, new Shape(DigitSide, DigitSide, 1), pixels);
        if (BoundingBox.Around(pixels, size, Ink) is not { } ink)
        {
            return;
        }

        (int width, int height) = ((int)ink.Width, (int)ink.Height);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            int y = random.Below(Side - height + 1), x = random.Below(Side - width + 1);
            var box = new BoundingBox(x, y, x + width, y + height);
            if (scene.Objects.All(other => other.Box.Intersection(box) == 0))
            {
                scene.Add(pixels, size, ink, box, label, Ink);
                return;
            }
        }
    }

    private static (int Least, int Most) InOrder((int Least, int Most) range, int low, int high, string name) =>
        low <= range.Least && range.Least <= range.Most && range.Most <= high
            ? range
            : throw new ArgumentOutOfRangeException(
                name, $"expected two numbers in order from {low} to {high}, got {range.Least} and {range.Most}");

    private sealed class SceneSource(DigitScenes scenes, int count, Shape target, Action<DigitScene, Span<float>> encode)
        : IExampleSource
    {
        public int Count => count;

        public Shape ExampleShape => new(scenes.Side, scenes.Side, 1);

        public Shape TargetShape => target;

        void IExampleSource.Read(int index, Span<float> features, Span<float> targets)
        {
            DigitScene scene = scenes.Create(index);
            scene.Pixels.CopyTo(features);
            encode(scene, targets);
        }
    }
}
