namespace FastNN.Cli.Recipes;

/// <summary>
/// Objects of an image as numbers for each cell of a grid, and back: a score for each class (1 where an object's center is near
/// the middle of the cell), where the center is from there, and the logarithms of the box's width and height, all in cells.
/// </summary>
internal sealed class BoxGrid(int side, int stride, int classes)
{
    // An object belongs to all cells whose middle is less than this from its center along both axes, in cells: one to four of
    // them. Centers on the border between cells are learned as well as others, and suppression keeps one of the boxes.
    private const float Near = 0.75f;

    // As large as the scores' part of the loss once both have become small.
    private const float BoxWeight = 2;

    private readonly int _cells = side / stride;

    public int Classes => classes;

    /// <summary>The shape of one image's numbers.</summary>
    public Shape Shape => new(_cells, _cells, classes + 4);

    /// <summary>Writes the numbers of an image's objects; where several are near a cell, those of the nearest.</summary>
    public void Encode(IReadOnlyList<LabeledBox> objects, Span<float> target)
    {
        target.Clear();
        int size = classes + 4;
        for (int cell = 0; cell < _cells * _cells; cell++)
        {
            float nearest = Near;
            foreach (LabeledBox item in objects)
            {
                (float dx, float dy) = FromMiddle(cell, item.Box);
                float distance = Math.Max(Math.Abs(dx), Math.Abs(dy));
                if (distance < nearest)
                {
                    nearest = distance;
                    Span<float> numbers = target.Slice(cell * size, size);
                    numbers.Clear();
                    numbers[item.Label] = 1;
                    ReadOnlySpan<float> box = [dx, dy, MathF.Log(item.Box.Width / stride), MathF.Log(item.Box.Height / stride)];
                    box.CopyTo(numbers[classes..]);
                }
            }
        }
    }

    /// <summary>The objects that a network's output for an image names, with scores of at least a bound.</summary>
    public List<Detection> Decode(ReadOnlySpan<float> output, float least)
    {
        var found = new List<Detection>();
        int size = classes + 4;
        float bound = MathF.Log(least / (1 - least));
        for (int cell = 0; cell < _cells * _cells; cell++)
        {
            ReadOnlySpan<float> numbers = output.Slice(cell * size, size), box = numbers[classes..];
            for (int label = 0; label < classes; label++)
            {
                if (numbers[label] >= bound)
                {
                    float x = ((cell % _cells) + 0.5f + box[0]) * stride, y = ((cell / _cells) + 0.5f + box[1]) * stride;
                    float width = MathF.Exp(box[2]) * stride / 2, height = MathF.Exp(box[3]) * stride / 2;
                    found.Add(new Detection(
                        new BoundingBox(x - width, y - height, x + width, y + height), label,
                        1 / (1 + MathF.Exp(-numbers[label]))));
                }
            }
        }

        return found;
    }

    /// <summary>The loss of a batch, per cell that has an object.</summary>
    public Value Loss(Value output, Value target)
    {
        Value scores = output.Slice(3, 0, classes), labels = target.Slice(3, 0, classes);
        Value hasObject = labels.Sum([-1], keepDims: true);
        Value focal = new FocalLoss(alpha: null) { Reduction = Reduction.Sum }.Apply(scores, labels);
        Value boxes = new SmoothL1Loss(0.1f) { Reduction = Reduction.Sum }.Apply(
            output.Slice(3, classes) * hasObject, target.Slice(3, classes));
        return (focal + (BoxWeight * boxes)) / hasObject.Sum().Maximum(1);
    }

    private (float X, float Y) FromMiddle(int cell, BoundingBox box) => (
        ((box.Left + box.Right) / 2 / stride) - ((cell % _cells) + 0.5f),
        ((box.Top + box.Bottom) / 2 / stride) - ((cell / _cells) + 0.5f));
}
