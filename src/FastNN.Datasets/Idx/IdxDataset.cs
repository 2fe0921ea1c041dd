namespace FastNN.Data;

/// <summary>Datasets in pairs of IDX files: images and their labels.</summary>
public static class IdxDataset
{
    /// <summary>
    /// Loads images (unsigned bytes, <c>[count, height, width]</c> or <c>[count, height, width, channels]</c>) and labels
    /// (unsigned bytes, <c>[count]</c>). Features are <c>[height, width, channels]</c>, bytes times 1/255.
    /// </summary>
    /// <param name="imagesPath">The images, plain or gzip.</param>
    /// <param name="labelsPath">The labels, plain or gzip.</param>
    /// <param name="classNames">A name for each class; their number is the number of classes.</param>
    /// <exception cref="FileFormatException">A file is malformed, the counts disagree or a label is out of range.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static Dataset Load(string imagesPath, string labelsPath, IReadOnlyList<string> classNames) =>
        Combine(IdxFile.Read(imagesPath), IdxFile.Read(labelsPath), classNames);

    /// <summary>Loads images and labels from streams, which stay open.</summary>
    /// <param name="images">The images, plain or gzip.</param>
    /// <param name="labels">The labels, plain or gzip.</param>
    /// <param name="classNames">A name for each class; their number is the number of classes.</param>
    /// <exception cref="FileFormatException">As for <see cref="Load(string, string, IReadOnlyList{string})"/>.</exception>
    public static Dataset Load(Stream images, Stream labels, IReadOnlyList<string> classNames) =>
        Combine(IdxFile.Read(images, "images"), IdxFile.Read(labels, "labels"), classNames);

    internal static Dataset Combine(IdxFile images, IdxFile labels, IReadOnlyList<string> classNames)
    {
        if (images.Type != IdxType.UInt8 || images.Shape.Length is not (3 or 4))
            throw new FileFormatException(images.FilePath, 2, "images (type 08, rank 3 or 4)", Describe(images));
        if (labels.Type != IdxType.UInt8 || labels.Shape.Length != 1)
            throw new FileFormatException(labels.FilePath, 2, "labels (type 08, rank 1)", Describe(labels));
        if (images.Shape[0] != labels.Shape[0])
        {
            throw new FileFormatException(
                labels.FilePath, 4, $"{images.Shape[0]} labels, as there are images in {images.FilePath}",
                $"{labels.Shape[0]}");
        }

        var indices = new int[labels.Count];
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = labels.Bytes[i];
            if (indices[i] >= classNames.Count)
                throw new FileFormatException(
                    labels.FilePath, labels.DataOffset + i, $"a label from 0 to {classNames.Count - 1}", $"{indices[i]}");
        }

        int channels = images.Shape.Length == 4 ? images.Shape[3] : 1;
        return Dataset.FromBytes(images.Bytes, [images.Shape[1], images.Shape[2], channels], indices, classNames);
    }

    private static string Describe(IdxFile file) => $"type {(int)file.Type:X2}, rank {file.Shape.Length}";
}
