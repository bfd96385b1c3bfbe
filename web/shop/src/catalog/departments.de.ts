/**
 * What the demonstration's catalogue says of its departments, in German. By its own words: where an operator writes
 * others, the shop shows those.
 */
export const departments = {
  'Alcohol-free': 'Alkoholfrei',
  Beer: 'Bier',
  Coffee: 'Kaffee',
  Glassware: 'Gläser',
  Hampers: 'Geschenkkörbe',
  Juice: 'Saft',
  Soda: 'Limonade',
  Tea: 'Tee',
  Wine: 'Wein',
  'Wines, beers and distillates without the alcohol: everything of a good evening but the headache.':
    'Weine, Biere und Destillate ohne Alkohol: alles von einem guten Abend, nur nicht die Kopfschmerzen.',
  'From cellar-cool Helles to barrel-aged stout, mostly out of small kettles run by people who answer their own telephone.':
    'Vom kellerkühlen Hellen bis zum fassgereiften Stout, meist aus kleinen Kesseln von Leuten, die noch selbst ans Telefon gehen.',
  'Beans from farms we can name, roasted in small batches each week. Filter, espresso, and cold brew for the warm days.':
    'Bohnen von Farmen, die wir beim Namen kennen, jede Woche in kleinen Mengen geröstet. Filter, Espresso und Cold Brew für warme Tage.',
  'Mouth-blown stems, honest pints and hand-thrown mugs. Half the taste of a drink is what you pour it into.':
    'Mundgeblasene Stiele, ehrliche Biergläser und getöpferte Becher. Die Hälfte des Geschmacks macht, woraus man trinkt.',
  'Packed by hand, tied with real ribbon and ready to be given away, or opened at once with the door locked.':
    'Von Hand gepackt, mit echtem Band gebunden und bereit, verschenkt zu werden – oder gleich geöffnet, bei verschlossener Tür.',
  'Pressed, not mixed, and cloudy where the fruit is cloudy. Orchard classics beside citrus from the south.':
    'Gepresst, nicht gemischt, und trüb, wo die Frucht trüb ist. Klassiker von der Streuobstwiese neben Zitrusfrüchten aus dem Süden.',
  'Lemonades, colas, tonics and waters with a point of view, sweetened sparingly and bottled in glass where we can.':
    'Limonaden, Colas, Tonics und Wässer mit eigener Meinung, sparsam gesüßt und, wo es geht, in Glas gefüllt.',
  'Single gardens, house blends and herbs from the meadow. Loose wherever the leaf deserves room.':
    'Einzelne Gärten, Hausmischungen und Kräuter von der Wiese. Lose, wo das Blatt Platz verdient.',
  'Growers who do little in the cellar because they did much in the vineyard. Every bottle here has been drunk at our own table.':
    'Winzer, die im Keller wenig tun, weil sie im Weinberg viel getan haben. Jede Flasche hier wurde an unserem eigenen Tisch getrunken.',
}
