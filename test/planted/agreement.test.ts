import { searchPlanted } from './planted-search.ts';

searchPlanted(({ name }) => name.startsWith('b'));
