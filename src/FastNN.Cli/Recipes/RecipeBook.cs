namespace FastNN.Cli.Recipes;

/// <summary>All recipes.</summary>
internal static class RecipeBook
{
    public static IReadOnlyList<Recipe> All { get; } =
    [
        new BreastCancerMlp(),
        new MnistMlp(),
        new MnistCnn(),
        new MnistCnnSmall(),
        new MnistLstm(),
        new MnistUnet(),
        new DigitsDetect(),
        new FashionResNet(),
        new MnistTransfer(),
        new FashionEnsemble(),
        new LenetRgb(),
        new MnistCnnEpochs(),
        new OnnxTransfer(),
        new IrisRecipe(),
        new HousingRecipe(),
        new MortgageFairness(),
        new Letters(),
        new Movies(),
        new Forecast(),
        new CartPoleRecipe(),
        new GridWorldRecipe(),
        new TextGpt(),
        new DebianGraphRecipe(),
        new MailSpam(),
        new PackageSections(),
        new CmudictG2p(),
        new Translate(),
        new MnistAutoencoder(),
        new MnistVae(),
        new MnistGan(),
        new MnistDiffusion(),
        new MnistAdversarial(),
        new FashionContrastive(),
        new MnistSemi(),
        new SpeechDigits(),
        new SpeechCtc(),
    ];

    public static Recipe? Find(string name) => All.FirstOrDefault(recipe => recipe.Name == name);

    public static string Suggest(string name) => Nearest.Suggest(name, [.. All.Select(recipe => recipe.Name)]);
}
