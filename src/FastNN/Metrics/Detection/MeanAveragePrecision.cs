namespace FastNN;

/// <summary>
/// How well a detector finds objects: the mean over classes of the average precision, as PASCAL VOC measures it since 2010
/// (Everingham et al., "The PASCAL visual object classes challenge: a retrospective", 2015). Detections of a class are taken in
/// the order of their scores over all images. Each is right where the object of its class in its image that it overlaps most is
/// overlapped enough and was not found before; the average precision is the area below the curve of precision over recall, with
/// precision at a recall taken as the highest at that recall or above. Not safe for concurrent use.
/// </summary>
public sealed class MeanAveragePrecision
{
    private readonly float _overlap;
    private readonly ClassRecord[] _classes;

    /// <summary>A measure of nothing yet.</summary>
    /// <param name="classes">The number of classes, at least 1.</param>
    /// <param name="overlap">The least intersection over union of a detection and its object, in (0, 1]; default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public MeanAveragePrecision(int classes, float overlap = 0.5f)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        _overlap = overlap is > 0 and <= 1
            ? overlap
            : throw new ArgumentOutOfRangeException(
                nameof(overlap), $"MeanAveragePrecision: expected an overlap in (0, 1], got {overlap}.");
        _classes = [.. Enumerable.Range(0, classes).Select(_ => new ClassRecord())];
    }

    /// <summary>Images counted.</summary>
    public int Images { get; private set; }

    /// <summary>
    /// The mean over the classes that have objects; NaN where none has. Detections of a class without objects count nowhere.
    /// </summary>
    public double Value
    {
        get
        {
            double[] found = [.. _classes.Where(record => record.Objects > 0).Select(record => record.AveragePrecision())];
            return found.Length == 0 ? double.NaN : found.Average();
        }
    }

    /// <summary>The average precision of a class; NaN where it has no objects.</summary>
    /// <param name="label">The index of the class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Of(int label) => _classes[Checked(label)].AveragePrecision();

    /// <summary>Counts an image.</summary>
    /// <param name="detections">What was found in it, in any order.</param>
    /// <param name="objects">What is in it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A class is out of range.</exception>
    /// <exception cref="ArgumentException">A score is NaN.</exception>
    public void Add(IReadOnlyCollection<Detection> detections, IReadOnlyList<LabeledBox> objects)
    {
        ArgumentNullException.ThrowIfNull(detections);
        ArgumentNullException.ThrowIfNull(objects);

        // Nothing is counted where anything is wrong.
        Detection.RequireScores(detections, nameof(MeanAveragePrecision));
        foreach (int label in detections.Select(detection => detection.Label).Concat(objects.Select(item => item.Label)))
        {
            Checked(label);
        }

        Images++;
        var found = new bool[objects.Count];
        foreach (LabeledBox item in objects)
        {
            _classes[item.Label].Objects++;
        }

        // A higher score finds an object first, and detections of one class in other images do not touch it.
        foreach (Detection detection in detections.OrderByDescending(detection => detection.Score))
        {
            int best = -1;
            float most = 0;
            for (int i = 0; i < objects.Count; i++)
            {
                float overlap = objects[i].Label == detection.Label
                    ? objects[i].Box.IntersectionOverUnion(detection.Box)
                    : 0;
                if (overlap > most)
                {
                    (best, most) = (i, overlap);
                }
            }

            bool right = best >= 0 && most >= _overlap && !found[best];
            if (right)
            {
                found[best] = true;
            }

            _classes[detection.Label].Detections.Add((detection.Score, right));
        }
    }

    private int Checked(int label) => (uint)label < (uint)_classes.Length
        ? label
        : throw new ArgumentOutOfRangeException(
            nameof(label), label, $"MeanAveragePrecision: expected a class from 0 to {_classes.Length - 1}.");

    private sealed class ClassRecord
    {
        public int Objects { get; set; }

        public List<(float Score, bool IsRight)> Detections { get; } = [];

        public double AveragePrecision()
        {
            if (Objects == 0)
            {
                return double.NaN;
            }

            // LINQ's sort is stable: of equal scores, the image counted first comes first.
            bool[] right = [.. Detections.OrderByDescending(detection => detection.Score).Select(detection => detection.IsRight)];
            double area = 0, highest = 0;
            int hits = right.Count(isRight => isRight);

            // From the last detection to the first: the highest precision at this recall or above is then known.
            for (int taken = right.Length; taken > 0; taken--)
            {
                highest = Math.Max(highest, (double)hits / taken);
                if (right[taken - 1])
                {
                    area += highest / Objects;
                    hits--;
                }
            }

            return area;
        }
    }
}
