namespace FastNN.Testing;

/// <summary>Gives each test a folder of its own, which is deleted behind it.</summary>
public abstract class FolderFixture
{
    /// <summary>The folder's full path.</summary>
    protected string Folder { get; private set; } = "";

    [SetUp]
    public void MakeFolder() => Folder = Directory.CreateTempSubdirectory("fastnn-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(Folder, recursive: true);

    /// <summary>A path in the folder.</summary>
    protected string At(string name) => Path.Combine(Folder, name);
}
